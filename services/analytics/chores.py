"""What is done without being asked: the daily cleanup, and putting questions into gaps. Each by one
instance at a time."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from services.analytics.database import Database
from services.analytics.gaps import Clusterer, Embedded
from services.analytics.intake import microseconds
from services.analytics.lease import claim, release
from services.analytics.retention import clean_up
from services.analytics.schemas import CleanupBody
from services.analytics.settings import Settings
from services.kernel.background import background
from services.kernel.errors import TrivetError

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 600.0
_CLEANUP_LEASE_SECONDS = 3_600
_GAPS_SECONDS = 15.0
_GAPS_LEASE_SECONDS = 120
InThread = Callable[[Callable[[], Any]], Awaitable[Any]]


class Chores:
    """For one application; `now` is its clock."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clusterer: Clusterer,
        in_thread: InThread,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._database = database
        self._clusterer = clusterer
        self._in_thread = in_thread
        self._now = now
        self._holder = secrets.token_hex(8)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Does the chores inside the block."""
        async with (
            background(self._repeat(self.clean_up, _LOOK_SECONDS), "cleanup"),
            background(self._repeat(self.cluster, _GAPS_SECONDS), "gaps"),
        ):
            yield

    async def clean_up(self) -> None:
        """Deletes what is older than the settings allow, once a day (UTC)."""
        days = self._settings.retention_days
        if days:
            await self._in_thread(lambda: self._clean_up(days))

    def _clean_up(self, days: int) -> None:
        now, engine = self._now(), self._database.writing
        now_us = microseconds(now)
        done_us = claim(engine, "cleanup", self._holder, now_us, _CLEANUP_LEASE_SECONDS)
        if done_us is None:
            return
        if _day(done_us) < _day(now_us):
            body = CleanupBody(older_than_days=days)
            # From midnight on, so that a whole day's questions are forgotten at once.
            midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            answer = clean_up(engine, self._settings.database_path, body, midnight)
            done_us = now_us
            fields = {"deleted": answer.deleted.total, "freed_bytes": answer.freed_bytes}
            _log.info("old records were deleted", extra={"fields": fields})
        release(engine, "cleanup", self._holder, done_us)

    async def cluster(self) -> None:
        """Puts the questions that wait into gaps; while the embedder is away they wait."""
        waiting = await self._in_thread(self._clusterer.waiting)
        while waiting:
            if await self._in_thread(self._claim_gaps) is None:
                return
            embedded = await self._clusterer.embed([text for _, text in waiting])
            await self._in_thread(partial(self._assign, [n for n, _ in waiting], embedded))
            waiting = await self._in_thread(self._clusterer.waiting)

    def _claim_gaps(self) -> int | None:
        now_us = microseconds(self._now())
        engine = self._database.writing
        return claim(engine, "gaps", self._holder, now_us, _GAPS_LEASE_SECONDS)

    def _assign(self, hashes: list[int], embedded: Embedded) -> None:
        now_us = microseconds(self._now())
        self._clusterer.assign(hashes, embedded, now_us)
        release(self._database.writing, "gaps", self._holder, now_us)

    async def _repeat(self, work: Callable[[], Awaitable[None]], seconds: float) -> None:
        """For ever; a failure is noted and tried again later. A start is not burdened with it."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except TrivetError as exc:
                _log.info("a chore waits", extra={"fields": {"reason": exc.message}})
            except Exception as exc:  # noqa: BLE001  # the next look must come
                _log.error("a chore failed", exc_info=exc)


def _day(time_us: int) -> int:
    return time_us // 86_400_000_000
