"""Batches in: one thread of this process writes what many requests bring.

The queue is bounded; when it is full a sender is told to come again (503 with Retry-After), and its
outbox keeps the events. Batches that wait together share one transaction, and as many events as in
the one before are waited for a moment: the sums of four batches cost little more than those of one.
A batch is answered only after its commit is on the disk (`synchronous=FULL`), since the sender
deletes what was answered.
Another instance writes to the same file: transactions are short, begin IMMEDIATE, and wait for each
other (`busy_timeout`).
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import anyio
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from services.analytics.intake import Record
from services.analytics.storage import EventStore, Stored
from services.kernel.database import write
from services.kernel.errors import InternalError, Overloaded, TrivetError

_log = logging.getLogger(__name__)
_MAX_EVENTS_PER_TRANSACTION = 2_000
_GATHER_SECONDS = 0.01


@dataclass(slots=True)
class _Job:
    """One batch that waits; its future lives in the event loop."""

    records: Sequence[Record]
    future: asyncio.Future[Stored]
    loop: asyncio.AbstractEventLoop
    queued_at: float = field(default_factory=time.monotonic)

    def settle(self, outcome: Stored | TrivetError) -> None:
        """Hands the outcome to the request, which may have gone; from the writer's thread."""
        self.loop.call_soon_threadsafe(self._set, outcome)

    def _set(self, outcome: Stored | TrivetError) -> None:
        if self.future.done():
            return
        if isinstance(outcome, TrivetError):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class EventWriter:
    """An async context manager; at its end it writes what it has taken."""

    def __init__(
        self, engine: Engine, *, max_waiting_events: int, store: EventStore | None = None
    ) -> None:
        self.waiting_events = 0
        self._engine = engine
        self._store = store or EventStore()
        self._max_waiting_events = max_waiting_events
        self._jobs: deque[_Job] = deque()
        self._writing: list[_Job] = []
        self._last_events = 0  # of the transaction before
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="event-writer", daemon=True)

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._thread.join)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def lag_seconds(self) -> float:
        """How long the oldest batch has been waiting for its commit."""
        with self._changed:
            waiting = [*self._writing, *self._jobs]
            return time.monotonic() - waiting[0].queued_at if waiting else 0.0

    async def write(self, records: Sequence[Record]) -> Stored:
        """Stores records; returns when they are durable. A batch is stored whole or not at all.

        Raises Overloaded when the queue is full or the database is held by others for too long.
        """
        if not records:
            return Stored()
        loop = asyncio.get_running_loop()
        job = _Job(records, loop.create_future(), loop)
        with self._changed:
            full = self.waiting_events + len(records) > self._max_waiting_events
            if self._stopping or (full and self.waiting_events):
                raise Overloaded("Too many events are waiting to be written.")
            self.waiting_events += len(records)
            self._jobs.append(job)
            self._changed.notify()
        return await job.future

    def _run(self) -> None:
        while jobs := self._next_jobs():
            outcomes = self._outcomes(jobs)
            with self._changed:  # before anybody is answered, who may come again at once
                self.waiting_events -= sum(len(job.records) for job in jobs)
                self._writing = []
            for job, outcome in zip(jobs, outcomes, strict=True):
                job.settle(outcome)

    def _next_jobs(self) -> list[_Job]:
        """What goes into the next transaction; nothing when the writer is to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._stopping)
            self._changed.wait_for(self._gathered, _GATHER_SECONDS)
            size = 0
            while self._jobs and size < _MAX_EVENTS_PER_TRANSACTION:
                size += len(self._jobs[0].records)
                self._writing.append(self._jobs.popleft())
            self._last_events = size
            return self._writing

    def _gathered(self) -> bool:
        """Senders come again when they are answered: those of one transaction make the next."""
        return self._stopping or self.waiting_events >= self._last_events

    def _outcomes(self, jobs: list[_Job]) -> list[Stored | TrivetError]:
        """One transaction for all; when it fails for what is in it, one for each."""
        try:
            return [*self._transact(jobs)]
        except OperationalError as exc:
            busy = Overloaded("The database is busy.", retry_after_seconds=2)
            return [_failed(busy, exc) for _ in jobs]
        except Exception as exc:  # noqa: BLE001  # the thread must live, and each job be answered
            if len(jobs) == 1:
                return [_failed(InternalError("The events could not be stored."), exc)]
            return [outcome for job in jobs for outcome in self._outcomes([job])]

    def _transact(self, jobs: list[_Job]) -> list[Stored]:
        try:
            with write(self._engine) as connection:
                return self._store.add(connection, [job.records for job in jobs])
        except BaseException:
            self._store.forget()
            raise


def _failed(error: TrivetError, cause: Exception) -> TrivetError:
    _log.error("a batch was not stored", exc_info=cause)
    error.__cause__ = cause
    return error
