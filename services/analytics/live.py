"""Records as they arrive, at this instance or at another one.

One task looks for new batches while anybody watches, and hands the records to each watcher's queue.
A queue is bounded: a watcher that reads too slowly is told how many it missed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from struct import unpack
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection

from services.analytics.combination import Dictionary
from services.analytics.queries import RecordFinder
from services.analytics.record import RecordWriter
from services.kernel.background import background
from services.kernel.errors import Overloaded
from services.kernel.sse import encode_comment, encode_event

T = TypeVar("T")
Read = Callable[[Callable[[Connection], T]], Awaitable[T]]
Arrived = tuple[int, dict[str, Any]]  # (number of the batch, record)

_POLL_SECONDS = 0.5
_HEARTBEAT_SECONDS = 15.0
_MAX_WATCHERS = 50
_MAX_WAITING = 500  # records for one watcher
_MAX_AT_ONCE = 500  # records of one look


class Watcher:
    """What waits for one who watches."""

    def __init__(self) -> None:
        self._waiting: deque[Arrived] = deque()
        self._missed = 0
        self._changed = asyncio.Event()

    def put(self, arrived: Sequence[Arrived], missed: int) -> None:
        self._missed += missed
        for item in arrived:
            if len(self._waiting) >= _MAX_WAITING:
                self._waiting.popleft()
                self._missed += 1
            self._waiting.append(item)
        self._changed.set()

    async def take(self, timeout_seconds: float) -> tuple[list[Arrived], int]:
        """(records, how many were missed before them); nothing when the time is over."""
        try:
            await asyncio.wait_for(self._changed.wait(), timeout_seconds)
        except TimeoutError:
            return [], 0
        self._changed.clear()
        taken, missed = list(self._waiting), self._missed
        self._waiting.clear()
        self._missed = 0
        return taken, missed


class LiveFeed:
    """For one application."""

    def __init__(self, read: Read[Any], dictionary: Dictionary) -> None:
        self._read = read
        self._dictionary = dictionary
        self._watchers: set[Watcher] = set()
        self._someone = asyncio.Event()
        self._last = 0  # the newest batch that was shown

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks for new records inside the block."""
        async with background(self._run(), "live-feed"):
            yield

    async def stream(self, kind: str | None) -> AsyncIterator[bytes]:
        """Server-sent events: `record`, and `missed` with a number. What comes after this answers
        is shown. Raises Overloaded when there are too many watchers, or nothing can be read."""
        if len(self._watchers) >= _MAX_WATCHERS:
            raise Overloaded("Too many are watching.")
        watcher = Watcher()
        self._watchers.add(watcher)
        try:
            if not self._someone.is_set():
                self._last = await self._read(_newest)
                self._someone.set()
        except BaseException:
            self._watchers.discard(watcher)
            raise
        return self._events(watcher, kind)

    async def _events(self, watcher: Watcher, kind: str | None) -> AsyncIterator[bytes]:
        try:
            yield encode_comment("watching")
            while True:
                arrived, missed = await watcher.take(_HEARTBEAT_SECONDS)
                if not arrived and not missed:
                    yield encode_comment("still watching")
                if missed:
                    yield encode_event(orjson.dumps({"missed": missed}), event="missed")
                for seq, record in arrived:
                    if kind is None or record["kind"] == kind:
                        yield encode_event(orjson.dumps(record), event="record", id=str(seq))
        finally:
            self._watchers.discard(watcher)

    async def _run(self) -> None:
        while True:
            await self._someone.wait()
            while self._watchers:
                await asyncio.sleep(_POLL_SECONDS)
                await self._look_once()
            self._someone.clear()

    async def _look_once(self) -> None:
        try:
            self._last, arrived, missed = await self._read(partial(self._look, self._last))
        except Overloaded:
            return  # the next look will find it
        if arrived or missed:
            for watcher in self._watchers:
                watcher.put(arrived, missed)

    def _look(self, last: int, connection: Connection) -> tuple[int, list[Arrived], int]:
        statement = "SELECT seq, keys FROM batch WHERE seq > ? ORDER BY seq"
        batches = connection.exec_driver_sql(statement, (last,)).all()
        if not batches:
            return last, [], 0
        places = {key: seq for seq, keys in batches for key in unpack(f"<{len(keys) // 8}q", keys)}
        newest = list(places)[-_MAX_AT_ONCE:]
        finder = RecordFinder(connection, self._dictionary)
        rows = finder.rows(sorted(newest, reverse=True))
        records = RecordWriter(self._dictionary).records(rows)
        arrived = [(places[row.key], r) for row, r in zip(rows, records, strict=True)]
        return batches[-1].seq, arrived[::-1], len(places) - len(newest)


def _newest(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT coalesce(max(seq), 0) FROM batch").scalar_one())
