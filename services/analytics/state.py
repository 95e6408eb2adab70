"""What lives as long as the application: engines, the writer, limits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

import anyio
from prometheus_client import CollectorRegistry
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from services.analytics.combination import Dictionary
from services.analytics.counters import IntakeMetrics
from services.analytics.database import Database, open_database
from services.analytics.limit import AddressLimiter
from services.analytics.settings import Settings
from services.analytics.storage import EventStore
from services.analytics.writer import EventWriter
from services.kernel.database import read
from services.kernel.errors import Overloaded

T = TypeVar("T")
_MAX_READERS = 8
_BUSY = "The database is busy."


@dataclass(frozen=True)
class State:
    """One application's state; made and ended by `open_state`."""

    settings: Settings
    database: Database
    writer: EventWriter
    metrics: IntakeMetrics
    feedback_limit: AddressLimiter
    dictionary: Dictionary
    now: Callable[[], datetime]
    cleaning: anyio.Lock = field(default_factory=anyio.Lock)
    _readers: anyio.CapacityLimiter = field(
        default_factory=lambda: anyio.CapacityLimiter(_MAX_READERS)
    )

    async def read(self, work: Callable[[Connection], T], *, engine: Engine | None = None) -> T:
        """Runs `work` in a thread, on one snapshot. Raises Overloaded when it cannot be read."""

        def in_thread() -> T:
            with read(engine or self.database.reading) as connection:
                return work(connection)

        return await self.in_thread(in_thread)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Runs `work`, which uses the database, in one of a bounded number of threads."""
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._readers)
        except OperationalError as exc:
            raise Overloaded(_BUSY, retry_after_seconds=2) from exc


def utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_state(
    settings: Settings, registry: CollectorRegistry, now: Callable[[], datetime]
) -> AsyncIterator[State]:
    """Opens the database (migrating it) and starts the writer; ends them in reverse."""
    database = await anyio.to_thread.run_sync(open_database, settings)
    limit = settings.writer_max_events
    try:
        store = EventStore(low_score=settings.low_score)
        async with EventWriter(database.writing, max_waiting_events=limit, store=store) as writer:
            yield State(
                settings=settings,
                database=database,
                writer=writer,
                metrics=IntakeMetrics(registry, writer),
                feedback_limit=AddressLimiter(settings.feedback_per_minute),
                dictionary=Dictionary(),
                now=now,
            )
    finally:
        database.dispose()
