"""The measures, against figures worked out by hand."""

import math

import pytest

from services.kb.evaluation import rank_of, read_squad, scores_of


def test_scores_of_known_ranks() -> None:
    scores = scores_of([1, 2, None, 4, 11])
    assert scores.recall_at_1 == 1 / 5
    assert scores.recall_at_3 == 2 / 5
    assert scores.recall_at_10 == 3 / 5
    assert scores.mrr_at_10 == pytest.approx((1 + 1 / 2 + 1 / 4) / 5)
    assert scores.ndcg_at_10 == pytest.approx((1 + 1 / math.log2(3) + 1 / math.log2(5)) / 5)


def test_passages_of_one_document_count_once() -> None:
    assert rank_of("c", ["a", "a", "b", "c"]) == 3
    assert rank_of("d", ["a"]) is None


def test_squad_is_read_and_anything_else_refused() -> None:
    data = {"data": [{"paragraphs": [{"context": "p", "qas": [{"question": "q"}]}]}]}
    assert read_squad(data).questions == [("q", 0)]
    with pytest.raises(ValueError, match="SQuAD"):
        read_squad({"data": [{}]})
