"""What lives as long as the application: engines, the writer, limits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

import anyio
from prometheus_client import CollectorRegistry
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from services.analytics.chores import Chores
from services.analytics.combination import Dictionary
from services.analytics.counters import IntakeMetrics
from services.analytics.dashboard import PoemCounts
from services.analytics.database import Database, open_database
from services.analytics.gap_answers import GapAnswers, KnowledgeBase
from services.analytics.gaps import Clusterer
from services.analytics.intents import read_rules
from services.analytics.limit import AddressLimiter
from services.analytics.live import LiveFeed
from services.analytics.question_counts import QuestionCounts
from services.analytics.settings import Settings
from services.analytics.storage import EventStore
from services.analytics.writer import EventWriter
from services.kernel.auth import ensure_token
from services.kernel.database import read
from services.kernel.errors import Overloaded
from services.kernel.http_client import NeighbourClient

T = TypeVar("T")
_MAX_READERS = 8
_BUSY = "The database is busy."


class Reader:
    """Runs what blocks in one of a bounded number of threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads = anyio.CapacityLimiter(_MAX_READERS)

    async def read(self, work: Callable[[Connection], T], *, engine: Engine | None = None) -> T:
        """Runs `work` on one snapshot. Raises Overloaded when it cannot be read."""

        def in_thread() -> T:
            with read(engine or self._database.reading) as connection:
                return work(connection)

        return await self.in_thread(in_thread)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Runs `work`, which uses the database."""
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._threads)
        except OperationalError as exc:
            raise Overloaded(_BUSY, retry_after_seconds=2) from exc


@dataclass(frozen=True)
class State:
    """One application's state; made and ended by `open_state`."""

    settings: Settings
    database: Database
    writer: EventWriter
    metrics: IntakeMetrics
    feedback_limit: AddressLimiter
    dictionary: Dictionary
    question_counts: QuestionCounts
    now: Callable[[], datetime]
    live: LiveFeed
    chores: Chores
    gap_answers: GapAnswers
    reader: Reader
    poem_counts: PoemCounts
    cleaning: anyio.Lock = field(default_factory=anyio.Lock)
    # Checking events is all Python: a second thread would gain nothing, and keep reads waiting.
    _checking: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(1))

    async def read(self, work: Callable[[Connection], T], *, engine: Engine | None = None) -> T:
        """Runs `work` in a thread, on one snapshot. Raises Overloaded when it cannot be read."""
        return await self.reader.read(work, engine=engine)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Runs `work`, which uses the database, in one of a bounded number of threads."""
        return await self.reader.in_thread(work)

    async def check(self, work: Callable[[], T]) -> T:
        """Runs `work`, which looks at events that came in, one batch after the other."""
        return await anyio.to_thread.run_sync(work, limiter=self._checking)


def utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_state(
    settings: Settings, registry: CollectorRegistry, now: Callable[[], datetime]
) -> AsyncIterator[State]:
    """Opens the database (migrating it), starts the writer, the live feed and the chores; ends
    them in reverse."""
    rules = await anyio.to_thread.run_sync(read_rules, settings.intents_file)
    async with AsyncExitStack() as stack:
        database = await anyio.to_thread.run_sync(open_database, settings)
        stack.callback(database.dispose)
        store = EventStore(low_score=settings.low_score, rules=rules)
        limit = settings.writer_max_events
        writer = await stack.enter_async_context(
            EventWriter(database.writing, max_waiting_events=limit, store=store)
        )
        reader = Reader(database)
        dictionary = Dictionary()
        live = LiveFeed(reader.read, dictionary)
        url = settings.embedder_url or f"http://127.0.0.1:{settings.embedder_port}"
        embedder = _neighbour(stack, settings, "the embedder", (url,), 30.0)
        clusterer = Clusterer(database.writing, embedder, settings.gap_similarity)
        chores = Chores(settings, database, clusterer, reader.in_thread, now)
        await stack.enter_async_context(live.running())
        await stack.enter_async_context(chores.running())
        yield State(
            settings=settings,
            database=database,
            writer=writer,
            metrics=IntakeMetrics(registry, writer),
            feedback_limit=AddressLimiter(settings.feedback_per_minute),
            dictionary=dictionary,
            question_counts=QuestionCounts(),
            now=now,
            live=live,
            chores=chores,
            gap_answers=GapAnswers(database.writing, _knowledge_base(stack, settings)),
            reader=reader,
            poem_counts=PoemCounts(_neighbour(stack, settings, "kb", settings.kb_urls, 10.0)),
        )


def _knowledge_base(stack: AsyncExitStack, settings: Settings) -> KnowledgeBase:
    return KnowledgeBase(
        client=_neighbour(stack, settings, "kb", settings.kb_urls, 60.0),
        indexing_timeout_seconds=settings.indexing_timeout_seconds,
    )


def _neighbour(
    stack: AsyncExitStack,
    settings: Settings,
    name: str,
    urls: Sequence[str],
    timeout_seconds: float,
) -> NeighbourClient:
    credential = ensure_token(settings.service_token_path)
    client = NeighbourClient(name, urls, credential, timeout_seconds=timeout_seconds)
    stack.push_async_callback(client.aclose)
    return client
