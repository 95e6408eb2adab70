"""`trivet evaluate`: golden questions through the running kb, beside the previous run.

SQuAD-shaped files bring their paragraphs with them: each file's go into a scratch collection, and
the questions of every file are asked there. Files with equally many paragraphs are translations of
each other: then all pairs of languages are asked, and all languages in one collection at last.
JSONL files name documents of a collection that is there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from services.cli.client import CallFailed, KbClient
from services.kb.evaluation import GoldenSet, read_jsonl, read_squad

_POLL_SECONDS = 0.5
_TIMEOUT = httpx.Timeout(3600.0, connect=3.0)

Progress = Callable[[float, str], None]
Golden = list[dict[str, Any]]


@dataclass(frozen=True)
class Request:
    """What to measure. `collection`: of the documents that JSONL files name."""

    files: Sequence[Path]
    collection: str
    modes: Sequence[str]
    no_answer: bool


@dataclass(frozen=True)
class Measured:
    """One answer of `/api/evaluate`; `title` says what was asked of what."""

    title: str
    answer: dict[str, Any]


def evaluate(client: KbClient, request: Request, progress: Progress) -> list[Measured]:
    """All files in all modes. Raises CallFailed."""
    squads = {path.stem: _squad(path) for path in request.files if path.suffix != ".jsonl"}
    measured: list[Measured] = []
    for path in request.files:
        if path.suffix == ".jsonl":
            golden = _golden(path)
            tests = [(path.name, golden)]
            measured += _run(client, request, request.collection, tests, progress)
    if len({len(squad.paragraphs) for squad in squads.values()}) > 1:
        raise CallFailed("the files do not hold the same paragraphs in several languages")
    corpora = [[name] for name in squads] + ([list(squads)] if len(squads) > 1 else [])
    for corpus in corpora:
        with _stored(client, {name: squads[name] for name in corpus}, progress) as collection:
            tests = [_test(name, squad, corpus) for name, squad in squads.items()]
            measured += _run(client, request, collection, tests, progress)
    return measured


def _squad(path: Path) -> GoldenSet:
    try:
        return read_squad(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as exc:
        raise CallFailed(f"{path}: not a readable file of SQuAD-shaped JSON") from exc


def _golden(path: Path) -> Golden:
    try:
        questions = read_jsonl(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise CallFailed(f"{path}: cannot be read") from exc
    except ValueError as exc:
        raise CallFailed(f"{path}: {exc}") from exc
    return [{"query": item.query, "relevant": list(item.relevant)} for item in questions]


def _test(name: str, squad: GoldenSet, corpus: Sequence[str]) -> tuple[str, Golden]:
    """The questions of one file, answered by the paragraph in any of the corpus's languages."""
    golden: Golden = [
        {"query": text, "relevant": [_source(part, number) for part in corpus]}
        for text, number in squad.questions
    ]
    return f"{name} → {' + '.join(corpus)}", golden


def _source(name: str, number: int) -> str:
    return f"{name}/{number}.txt"


def _run(
    client: KbClient,
    request: Request,
    collection: str,
    tests: Sequence[tuple[str, Golden]],
    progress: Progress,
) -> Iterator[Measured]:
    for title, golden in tests:
        for number, mode in enumerate(request.modes):
            progress(number / len(request.modes), f"{title}, {mode}: {len(golden)} questions")
            body = {
                "collection": collection,
                "mode": mode,
                "queries": golden,
                "no_answer": request.no_answer,
            }
            answer = client.call("POST", "/api/evaluate", json=body, timeout=_TIMEOUT)
            yield Measured(title, answer)


@contextmanager
def _stored(client: KbClient, squads: dict[str, GoldenSet], progress: Progress) -> Iterator[str]:
    """A scratch collection with the paragraphs, embedded; deleted at the end."""
    collection = f"evaluation-{time.time_ns():x}"
    client.ensure_collection(collection)
    try:
        for name, squad in squads.items():
            for number, text in enumerate(squad.paragraphs):
                source = _source(name, number)
                body = {"collection": collection, "source": source, "content": text}
                client.call("PUT", "/api/documents", json=body)
        _wait(client, collection, progress)
        yield collection
    finally:
        client.call("DELETE", f"/api/collections/{collection}")


def _wait(client: KbClient, collection: str, progress: Progress) -> None:
    while True:
        items = client.call("GET", "/api/collections")["items"]
        view = next(item for item in items if item["name"] == collection)
        share = 1 - view["pending"] / max(1, view["chunks"])
        progress(share, f"{view['pending']} passages to embed")
        if not view["pending"]:
            return
        time.sleep(_POLL_SECONDS)
