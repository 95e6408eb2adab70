"""`trivet evaluate`: golden questions through the running kb, in a collection of their own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from services.cli.client import CallFailed, KbClient
from services.kb.evaluation import DEPTH, GoldenSet, Scores, rank_of, read_squad, scores_of

_QUERIES_AT_ONCE = 25
_POLL_SECONDS = 0.5
_ATTEMPTS = 20
_RETRY_SECONDS = 2.0


def read_golden(path: Path) -> GoldenSet:
    """Raises CallFailed for a file that cannot be used."""
    try:
        return read_squad(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as exc:
        raise CallFailed(f"{path}: not a readable file of SQuAD-shaped JSON") from exc


def evaluate(
    client: KbClient,
    paragraphs: GoldenSet,
    questions: GoldenSet,
    modes: Sequence[str],
    progress: Callable[[float, str], None],
) -> dict[str, Scores]:
    """Scores by mode. The paragraphs are stored in a scratch collection, deleted at the end."""
    if len(paragraphs.paragraphs) != len(questions.paragraphs):
        raise CallFailed("the two files do not hold the same paragraphs")
    name = f"evaluation-{time.time_ns():x}"
    client.ensure_collection(name)
    try:
        _store(client, name, paragraphs.paragraphs, progress)
        return {mode: _scores(client, name, questions, mode, progress) for mode in modes}
    finally:
        client.call("DELETE", f"/api/collections/{name}")


def _store(
    client: KbClient,
    name: str,
    paragraphs: Sequence[str],
    progress: Callable[[float, str], None],
) -> None:
    for number, text in enumerate(paragraphs):
        body = {"collection": name, "source": f"{number}.txt", "content": text}
        client.call("PUT", "/api/documents", json=body)
    while True:
        view = _collection(client, name)
        share = 1 - view["pending"] / max(1, view["chunks"])
        progress(share, f"{view['pending']} passages to embed")
        if not view["pending"]:
            return
        time.sleep(_POLL_SECONDS)


def _collection(client: KbClient, name: str) -> Any:
    items = client.call("GET", "/api/collections")["items"]
    return next(item for item in items if item["name"] == name)


def _scores(
    client: KbClient,
    name: str,
    questions: GoldenSet,
    mode: str,
    progress: Callable[[float, str], None],
) -> Scores:
    ranks: list[int | None] = []
    total = len(questions.questions)
    for first in range(0, total, _QUERIES_AT_ONCE):
        asked = questions.questions[first : first + _QUERIES_AT_ONCE]
        body = {
            "queries": [question for question, _ in asked],
            "collection": name,
            "mode": mode,
            "top_k": DEPTH * 2,  # a long paragraph is several passages
        }
        answers = _undegraded(client, body)
        for (_, relevant), found in zip(asked, answers, strict=True):
            sources = [result["source"] for result in found["results"]]
            ranks.append(rank_of(f"{relevant}.txt", sources))
        progress(len(ranks) / total, f"{mode}: {len(ranks)} of {total} questions")
    return scores_of(ranks)


def _undegraded(client: KbClient, body: dict[str, Any]) -> Sequence[Any]:
    """The answers; asked again while the engines are too busy, since words alone would be counted
    as the whole search. Raises CallFailed when that does not end."""
    for _ in range(_ATTEMPTS):
        answers: list[Any] = client.call("POST", "/api/search", json=body)["searches"]
        if not any(answer["degraded"] for answer in answers):
            return answers
        time.sleep(_RETRY_SECONDS)
    raise CallFailed("the search is degraded: see kb's /readyz")
