"""How well search finds: golden questions → recall@k, MRR@10 and nDCG@10, and the no-answer curve.

A question's relevant documents are named by source, by source with anchor, or by id; the best rank
of any of them counts. With one relevant document nDCG is 1 / log2(rank + 1).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

DEPTH = 10
# The shares of answerable questions that the no-answer curve tells of.
KEPT = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)


@dataclass(frozen=True)
class GoldenSet:
    """Paragraphs, and questions with the number of the paragraph that answers each."""

    paragraphs: list[str]
    questions: list[tuple[str, int]]


@dataclass(frozen=True)
class GoldenQuestion:
    """A question, and the documents that answer it."""

    query: str
    relevant: tuple[str, ...]


@dataclass(frozen=True)
class Scores:
    """Means over all questions, 0 to 1."""

    questions: int
    recall_at_1: float
    recall_at_3: float
    recall_at_10: float
    mrr_at_10: float
    ndcg_at_10: float


@dataclass(frozen=True)
class CurvePoint:
    """With `min_score` at `threshold`, the share `kept` of the questions that have an answer gets
    one, and so does the share `strangers` of those that have none."""

    kept: float
    threshold: float
    strangers: float


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


def read_jsonl(text: str) -> list[GoldenQuestion]:
    """Lines of {"query": …, "relevant": [source or id, …]}. Raises ValueError."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            relevant = row["relevant"]
            names = [relevant] if isinstance(relevant, str) else list(relevant)
            question = GoldenQuestion(str(row["query"]), tuple(map(str, names)))
        except (ValueError, KeyError, TypeError) as exc:
            raise ValueError(f"line {number}: not an object with query and relevant") from exc
        if not question.query.strip() or not question.relevant:
            raise ValueError(f"line {number}: query or relevant is empty")
        found.append(question)
    return found


def scores_of(ranks: Sequence[int | None]) -> Scores:
    """From the rank (from 1) at which each question's document was found; None: not at all."""
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


def rank_of(relevant: Sequence[str], results: Sequence[Sequence[str]]) -> int | None:
    """The rank of the first relevant document. A result is all the names that it goes by, its
    document's source first; passages of one document count once."""
    documents: dict[str, bool] = {}
    for names in results:
        is_relevant = any(name in relevant for name in names)
        documents[names[0]] = documents.get(names[0], False) or is_relevant
    for rank, is_relevant in enumerate(documents.values(), 1):
        if is_relevant:
            return rank
    return None


def no_answer_curve(answered: Sequence[float], strangers: Sequence[float]) -> list[CurvePoint]:
    """From the best scores with the answer in the collection, and without it."""
    best = sorted(answered)
    points = []
    for kept in KEPT:
        threshold = best[min(len(best) - 1, round((1 - kept) * len(best)))]
        share = sum(score >= threshold for score in strangers) / len(strangers)
        points.append(CurvePoint(kept, round(threshold, 4), round(share, 4)))
    return points
