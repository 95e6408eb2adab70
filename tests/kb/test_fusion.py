"""Fusion: the gate keeps stray words from ruling, and a side that agrees only helps."""

from hypothesis import given
from hypothesis import strategies as st

from services.kb.fusion import Candidate, fuse, gate

unit = st.floats(0, 1.5)
candidates = st.lists(
    st.builds(
        Candidate,
        chunk_id=st.integers(1, 10_000),
        dense_rank=st.none() | st.integers(1, 50),
        lexical_rank=st.none() | st.integers(1, 50),
        evidence=unit,
        same_script=st.booleans(),
    ),
    unique_by=lambda candidate: candidate.chunk_id,
    max_size=40,
)


@given(candidates)
def test_every_candidate_comes_out_once_and_best_first(given: list[Candidate]) -> None:
    fused = fuse(given)
    assert sorted(item.chunk_id for item in fused) == sorted(item.chunk_id for item in given)
    assert [item.score for item in fused] == sorted((i.score for i in fused), reverse=True)
    assert fuse(list(reversed(given))) == fused


@given(unit, unit, st.booleans())
def test_more_evidence_never_counts_less(one: float, other: float, same: bool) -> None:
    low, high = sorted((one, other))
    assert 0 <= gate(low, same) <= gate(high, same) < 1
    assert gate(low, False) <= gate(low, True)


def test_without_evidence_the_dense_order_stands() -> None:
    dense = [Candidate(i, dense_rank=i, lexical_rank=51 - i, evidence=0.1) for i in range(1, 51)]
    assert [item.chunk_id for item in fuse(dense)] == list(range(1, 51))


def test_stray_words_in_another_script_do_not_move_anything() -> None:
    right = Candidate(1, dense_rank=1)
    stray = Candidate(2, dense_rank=9, lexical_rank=1, evidence=0.5, same_script=False)
    assert fuse([right, stray])[0].chunk_id == 1


def test_a_name_that_is_covered_in_full_counts_in_any_script() -> None:
    other = Candidate(1, dense_rank=2)
    named = Candidate(2, dense_rank=3, lexical_rank=1, evidence=1.1, same_script=False)
    assert fuse([other, named])[0].chunk_id == 2


def test_what_both_sides_find_goes_before_what_one_finds() -> None:
    both = Candidate(1, dense_rank=2, lexical_rank=1, evidence=0.9)
    dense = Candidate(2, dense_rank=1)
    words = Candidate(3, lexical_rank=2, evidence=0.9)
    assert [item.chunk_id for item in fuse([dense, words, both])] == [1, 2, 3]
