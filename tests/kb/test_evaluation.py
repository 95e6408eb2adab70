"""The measures, against figures worked out by hand."""

import math

import pytest

from services.kb.evaluation import (
    GoldenQuestion,
    no_answer_curve,
    rank_of,
    read_jsonl,
    read_squad,
    scores_of,
)


def test_scores_of_known_ranks() -> None:
    scores = scores_of([1, 2, None, 4, 11])
    assert scores.recall_at_1 == 1 / 5
    assert scores.recall_at_3 == 2 / 5
    assert scores.recall_at_10 == 3 / 5
    assert scores.mrr_at_10 == pytest.approx((1 + 1 / 2 + 1 / 4) / 5)
    assert scores.ndcg_at_10 == pytest.approx((1 + 1 / math.log2(3) + 1 / math.log2(5)) / 5)


def test_passages_of_one_document_count_once() -> None:
    results = [["a", "a#1"], ["a", "a#2"], ["b"], ["c", "c#x", "id-of-c"]]
    assert rank_of(["c"], results) == rank_of(["id-of-c"], results) == 3
    assert rank_of(["c#x", "b"], results) == 2
    assert rank_of(["a#2"], results) == 1
    assert rank_of(["d"], results) is None


def test_golden_queries_are_read_line_by_line() -> None:
    text = '{"query": "q", "relevant": ["a", "b"]}\n\n{"query": "r", "relevant": "c"}\n'
    assert read_jsonl(text) == [GoldenQuestion("q", ("a", "b")), GoldenQuestion("r", ("c",))]


@pytest.mark.parametrize("line", ["{", "[]", '{"query": "q"}', '{"query": " ", "relevant": ["a"]}'])
def test_a_bad_line_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        read_jsonl(f'{{"query": "q", "relevant": ["a"]}}\n{line}')


def test_the_curve_tells_what_a_threshold_lets_through() -> None:
    answered = [number / 100 for number in range(1, 101)]
    curve = {point.kept: point for point in no_answer_curve(answered, [0.05, 0.2, 0.6, 0.95])}
    assert curve[0.9].threshold == pytest.approx(0.11)
    assert curve[0.9].strangers == 0.75
    assert curve[0.5].strangers == 0.5


def test_squad_is_read_and_anything_else_refused() -> None:
    data = {"data": [{"paragraphs": [{"context": "p", "qas": [{"question": "q"}]}]}]}
    assert read_squad(data).questions == [("q", 0)]
    with pytest.raises(ValueError, match="SQuAD"):
        read_squad({"data": [{}]})
