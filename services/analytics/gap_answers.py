"""A person's answer to a gap: a document for kb, and the questions asked again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Engine

from services.analytics.gap_schemas import GapAnswerBody, GapView, Replay, ReplaySide
from services.kernel.context import CAUSE_HEADER
from services.kernel.database import write
from services.kernel.errors import Conflict, Overloaded, UpstreamError
from services.kernel.http_client import NeighbourClient

_MAX_REPLAYED = 20
_TOP_K = 5
_POLL_SECONDS = 0.3
_MAX_TITLE_CHARACTERS = 200


@dataclass(frozen=True)
class KnowledgeBase:
    """kb as it is needed here; a neighbour may search, and put documents under `answers/`."""

    client: NeighbourClient
    indexing_timeout_seconds: float

    async def search(self, questions: Sequence[str], collection: str) -> list[dict[str, Any]]:
        body = {"queries": list(questions), "collection": collection, "top_k": _TOP_K}
        headers = {CAUSE_HEADER: "replay"}
        answer = await self.client.request("POST", "/api/search", json=body, headers=headers)
        found: list[dict[str, Any]] = answer.json()["searches"]
        return found

    async def put(self, source: str, title: str, body: GapAnswerBody, collection: str) -> str:
        """Stores the answer; its source as kb names it."""
        document = {
            "collection": collection,
            "source": source,
            "title": title,
            "content": f"# {title}\n\n{body.content}\n",
            "lang": body.lang or "",
        }
        stored = await self.client.request("PUT", "/api/documents", json=document)
        return str(stored.json()["source"])

    async def wait_until_indexed(self, collection: str) -> None:
        """Returns when no passage of the collection waits. Raises Overloaded when it lasts."""
        deadline = time.monotonic() + self.indexing_timeout_seconds
        while True:
            answer = (await self.client.request("GET", "/api/collections")).json()
            items = answer["items"] if isinstance(answer, dict) else answer
            pending = [c["pending"] for c in items if c["name"] == collection]
            if pending == [0]:
                return
            if time.monotonic() > deadline:
                raise Overloaded("kb has not indexed the answer yet.", retry_after_seconds=30)
            await asyncio.sleep(_POLL_SECONDS)


class GapAnswers:
    """Answers gaps; a gap is answered by one at a time."""

    def __init__(self, engine: Engine, kb: KnowledgeBase) -> None:
        self._engine = engine
        self._kb = kb

    def begin(self, number: int) -> None:
        """Marks a gap as being answered. Raises Conflict when it is already. Blocks."""
        with write(self._engine) as connection:
            marked = connection.exec_driver_sql(
                "UPDATE gap SET state = 'answering' WHERE id = ? AND state IN ('open', 'failed')",
                (number,),
            )
            if marked.rowcount == 0:
                raise Conflict("The gap is answered, or is being answered.")

    def end(
        self, number: int, state: str, *, source: str | None, replay: list[Replay], now_us: int
    ) -> None:
        """Notes how it ended. Blocks."""
        report = orjson.dumps([item.model_dump() for item in replay]).decode()
        answered_us = now_us if state == "answered" else None
        with write(self._engine) as connection:
            connection.exec_driver_sql(
                "UPDATE gap SET state = ?, answered_us = ?, source = ?, report = ? WHERE id = ?",
                (state, answered_us, source, report, number),
            )

    async def answer(
        self, gap: GapView, body: GapAnswerBody, in_thread: Callable[..., Any], now_us: int
    ) -> None:
        """Stores the answer, waits for its indexing, asks the questions again."""
        await in_thread(lambda: self.begin(gap.id))
        try:
            source, replay = await self._answered(gap, body)
        except BaseException as exc:
            await asyncio.shield(
                in_thread(lambda: self.end(gap.id, "failed", source=None, replay=[], now_us=now_us))
            )
            if isinstance(exc, KeyError | ValueError | TypeError):
                raise UpstreamError("kb answers in a way that is not understood.") from exc
            raise
        await in_thread(
            lambda: self.end(gap.id, "answered", source=source, replay=replay, now_us=now_us)
        )

    async def _answered(self, gap: GapView, body: GapAnswerBody) -> tuple[str, list[Replay]]:
        collection = body.collection or gap.collection or "site"
        questions = [question.text for question in gap.questions[:_MAX_REPLAYED]]
        before = await self._kb.search(questions, collection)
        title = (body.title or gap.question)[:_MAX_TITLE_CHARACTERS]
        source = await self._kb.put(f"answers/gap-{gap.id}.md", title, body, collection)
        await self._kb.wait_until_indexed(collection)
        after = await self._kb.search(questions, collection)
        return source, [
            Replay(question=question, before=_side(old, source), after=_side(new, source))
            for question, old, new in zip(questions, before, after, strict=True)
        ]


def _side(found: dict[str, Any], source: str) -> ReplaySide:
    """What one search found; `rank` is that of the answer, from 1."""
    results = found["results"]
    sources = [str(result["source"]).partition("#")[0] for result in results]
    return ReplaySide(
        found=len(results),
        top_score=results[0]["relevance_score"] if results else None,
        rank=sources.index(source) + 1 if source in sources else None,
    )
