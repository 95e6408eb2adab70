"""Evaluations as tables for a terminal; in brackets what changed since the previous run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Column, Table

from services.cli.evaluate import Measured

_MEASURES = {
    "recall_at_1": "R@1",
    "recall_at_3": "R@3",
    "recall_at_10": "R@10",
    "mrr_at_10": "MRR@10",
    "ndcg_at_10": "nDCG@10",
}


def tables(measured: Sequence[Measured]) -> list[Table]:
    """The measures by pair of languages, and the no-answer curves where they were asked for."""
    languages = Column("languages", no_wrap=True)
    scores = Table("what", languages, "mode", *_MEASURES.values(), "questions")
    curve = Table("what", "mode", "answered", "min_score", "of those without an answer")
    for item in measured:
        for view, before in _pairs(item.answer):
            figures = [_figure(view, before, name) for name in _MEASURES]
            pair = f"{view['query_lang'] or 'all'} → {view['document_lang'] or 'all'}"
            mode = item.answer["mode"]
            scores.add_row(item.title, pair, mode, *figures, str(view["questions"]))
        for point in item.answer["overall"]["no_answer"]:
            shares = (
                f"{point['kept']:.0%}",
                f"{point['threshold']:.3f}",
                f"{point['strangers']:.0%}",
            )
            curve.add_row(item.title, item.answer["mode"], *shares)
    return [scores, curve] if curve.rows else [scores]


def _pairs(answer: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Mapping[str, Any] | None]]:
    """Each pair of languages with what it was before; one pair alone is the whole."""
    previous = answer["previous"] or {"pairs": [], "overall": None}
    known = {_key(view): view for view in previous["pairs"]}
    views = [(view, known.get(_key(view))) for view in answer["pairs"]]
    return views if len(views) == 1 else [(answer["overall"], previous["overall"]), *views]


def _key(view: Mapping[str, Any]) -> tuple[str, str]:
    return view["query_lang"], view["document_lang"]


def _figure(view: Mapping[str, Any], before: Mapping[str, Any] | None, name: str) -> str:
    value = float(view[name])
    if before is None:
        return f"{value:.3f}"
    return f"{value:.3f} ({value - float(before[name]):+.3f})"
