"""The score: between 0 and 1, rising with what speaks for a passage."""

from hypothesis import given
from hypothesis import strategies as st

from services.kb.relevance import background_of, calibration_of, relevance

E5 = calibration_of("multilingual-e5-small")
cosines = st.floats(0.5, 1.0)


@given(cosines, cosines, st.floats(0, 3), st.booleans())
def test_it_rises_with_the_cosine_and_stays_between_0_and_1(
    one: float, other: float, evidence: float, same: bool
) -> None:
    low, high = sorted((one, other))

    def score(cosine: float) -> float:
        return relevance(cosine, 0.8, evidence, same_script=same, calibration=E5)

    assert 0 <= score(low) <= score(high) <= 1


@given(st.floats(0, 3), st.floats(0, 3), st.none() | cosines)
def test_it_rises_with_the_evidence(one: float, other: float, cosine: float | None) -> None:
    low, high = sorted((one, other))

    def score(evidence: float) -> float:
        return relevance(cosine, 0.8, evidence, same_script=True, calibration=E5)

    assert score(low) <= score(high)


def test_an_answer_and_a_stranger_lie_on_either_side_of_a_half() -> None:
    answer = relevance(0.90, 0.81, 0.7, same_script=True, calibration=E5)
    stranger = relevance(0.80, 0.79, 0.1, same_script=True, calibration=E5)
    assert answer > 0.8
    assert stranger < 0.2


def test_a_small_collection_takes_its_background_from_the_model() -> None:
    assert background_of([0.95], E5) == E5.background
    far = background_of([0.95] * 10 + [0.70] * 40, E5)
    assert 0.70 < far < 0.75
