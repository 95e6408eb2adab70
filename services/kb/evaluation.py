"""How well search finds: golden questions → recall@k, MRR@10 and nDCG@10.

A question has one relevant passage, its paragraph; every document of the collection is one
paragraph. nDCG with one relevant document is 1 / log2(rank + 1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

DEPTH = 10


@dataclass(frozen=True)
class GoldenSet:
    """Paragraphs, and questions with the number of the paragraph that answers each."""

    paragraphs: list[str]
    questions: list[tuple[str, int]]


@dataclass(frozen=True)
class Scores:
    """Means over all questions, 0 to 1."""

    questions: int
    recall_at_1: float
    recall_at_3: float
    recall_at_10: float
    mrr_at_10: float
    ndcg_at_10: float


def read_squad(data: Any) -> GoldenSet:
    """SQuAD-shaped JSON: data[].paragraphs[].{context, qas[].question}. Raises ValueError."""
    try:
        paragraphs = [p for article in data["data"] for p in article["paragraphs"]]
        questions = [
            (str(qa["question"]), number)
            for number, paragraph in enumerate(paragraphs)
            for qa in paragraph["qas"]
        ]
        return GoldenSet([str(p["context"]) for p in paragraphs], questions)
    except (KeyError, TypeError) as exc:
        raise ValueError("not SQuAD-shaped JSON: data[].paragraphs[].qas[].question") from exc


def scores_of(ranks: Sequence[int | None]) -> Scores:
    """From the rank (from 1) at which each question's paragraph was found; None: not at all."""
    if not ranks:
        raise ValueError("there are no questions")
    found = [rank for rank in ranks if rank is not None and rank <= DEPTH]
    count = len(ranks)
    return Scores(
        questions=count,
        recall_at_1=sum(rank <= 1 for rank in found) / count,
        recall_at_3=sum(rank <= 3 for rank in found) / count,
        recall_at_10=len(found) / count,
        mrr_at_10=sum(1 / rank for rank in found) / count,
        ndcg_at_10=sum(1 / math.log2(rank + 1) for rank in found) / count,
    )


def rank_of(relevant: str, sources: Sequence[str]) -> int | None:
    """The rank of a document in results; passages of one document count once."""
    distinct = list(dict.fromkeys(sources))
    return distinct.index(relevant) + 1 if relevant in distinct else None
