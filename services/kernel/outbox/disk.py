"""The outbox of a service: a folder on disk that analytics may stay away from for hours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import anyio
from prometheus_client import CollectorRegistry

from services.kernel.auth import ensure_token
from services.kernel.health import Check
from services.kernel.outbox.adoption import Adopter
from services.kernel.outbox.counters import OutboxCollector
from services.kernel.outbox.delivery import Delivery
from services.kernel.outbox.event import MAX_EVENT_BYTES, encode_event
from services.kernel.outbox.folder import LockedFolder, claim_folder
from services.kernel.outbox.journal import Journal
from services.kernel.outbox.pace import Pace
from services.kernel.outbox.recorder import Recorder
from services.kernel.outbox.rejected import RejectedFile
from services.kernel.settings import CommonSettings


@dataclass(frozen=True)
class OutboxNumbers:
    """Counts since the start, and the bytes that wait now."""

    waiting_bytes: int
    recorded: int
    delivered: int
    rejected: int
    torn: int
    dropped: Mapping[str, int]


@dataclass(frozen=True)
class _Parts:
    """What lives between entering and leaving the outbox."""

    folder: LockedFolder
    journal: Journal
    rejected: RejectedFile
    recorder: Recorder
    delivery: Delivery
    task: asyncio.Task[None]


class DiskOutbox:
    """Keeps events in `data/outbox/{service}-{instance}` and delivers them to analytics.

    An event is in memory for about 0.1 s (a kill -9 can lose those), then in a file (see `Journal`
    for what that survives), and is sent within a second. All that waits takes at most
    `settings.outbox_max_bytes`; past that new events are dropped and counted, and `check` says so.
    Delivery is at least once; analytics counts each id once.

    Use it as an async context manager in the service's lifespan; `registry` gets its metrics.
    """

    def __init__(
        self,
        service: str,
        settings: CommonSettings,
        *,
        registry: CollectorRegistry | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._service = service
        self._settings = settings
        self._pace = pace or Pace()
        self._root = settings.data_dir / "outbox"
        self._parts: _Parts | None = None
        if registry is not None:
            registry.register(OutboxCollector(self))

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        folder = await anyio.to_thread.run_sync(self._claim)
        journal, rejected = await anyio.to_thread.run_sync(self._open, folder)
        delivery = Delivery(
            journal,
            rejected,
            base_urls=self._settings.analytics_urls,
            token=lambda: ensure_token(self._settings.service_token_path),
            pace=self._pace,
        )

        def notify() -> None:
            loop.call_soon_threadsafe(delivery.notify)

        recorder = Recorder(
            journal,
            self._settings.outbox_max_bytes,
            self._pace,
            flushed=notify,
            upkeep=self._upkeep(journal, rejected, notify),
        )
        task = loop.create_task(delivery.run(), name="outbox-delivery")
        self._parts = _Parts(folder, journal, rejected, recorder, delivery, task)
        recorder.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Writes what is in memory, delivers for a bounded time, leaves the rest on disk."""
        parts = self._parts
        if parts is None:
            return
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(parts.recorder.stop)
            parts.delivery.drain()
            await asyncio.wait({parts.task}, timeout=self._pace.drain_seconds)
            parts.task.cancel()
            await asyncio.wait({parts.task})
            self._parts = None
            await anyio.to_thread.run_sync(_close, parts)

    def record(
        self,
        kind: str,
        attributes: Mapping[str, object],
        *,
        request_id: str,
        session_id: str | None = None,
        visitor_id: str | None = None,
    ) -> None:
        """Keeps one event; see `Outbox.record`. Over 64 KiB as JSON it is dropped and counted."""
        parts = self._parts
        if parts is None:
            return
        line = encode_event(
            self._service,
            kind,
            attributes,
            request_id=request_id,
            session_id=session_id,
            visitor_id=visitor_id,
        )
        if line is None or len(line) > MAX_EVENT_BYTES:
            parts.recorder.drop("unfit")
            return
        parts.recorder.add(line)

    async def flush(self, timeout_seconds: float = 10.0) -> bool:
        """Waits until all that was recorded before is in a file; False when it is not in time."""
        if self._parts is None:
            return False
        wait = self._parts.recorder.wait_written
        return await anyio.to_thread.run_sync(wait, timeout_seconds)

    def check(self) -> Check:
        parts = self._parts
        if parts is None:
            return Check(False, "not running", critical=False)
        problems = [parts.delivery.problem] if parts.delivery.problem else []
        if parts.recorder.full:
            problems.append("full: new events are dropped")
        if parts.recorder.failing:
            problems.append("events cannot be written to disk")
        if parts.task.done():
            problems.append("delivery has stopped")
        return Check(not problems, "; ".join([*problems, *_notes(parts)]), critical=False)

    def numbers(self) -> OutboxNumbers | None:
        """The counts behind the metrics; None while not running."""
        parts = self._parts
        if parts is None:
            return None
        return OutboxNumbers(
            waiting_bytes=parts.journal.waiting_bytes,
            recorded=parts.recorder.recorded,
            delivered=parts.delivery.delivered,
            rejected=parts.delivery.rejected,
            torn=parts.delivery.torn,
            dropped=dict(parts.recorder.dropped),
        )

    def _claim(self) -> LockedFolder:
        return claim_folder(self._root, self._service, self._settings.instance)

    def _open(self, folder: LockedFolder) -> tuple[Journal, RejectedFile]:
        limit = self._settings.outbox_max_bytes // 16
        journal = Journal(folder.path, min(self._pace.segment_max_bytes, limit))
        return journal, RejectedFile(folder.path, min(self._pace.rejected_max_bytes, limit))

    def _upkeep(
        self, journal: Journal, rejected: RejectedFile, notify: Callable[[], None]
    ) -> Callable[[], None]:
        """What the recorder's thread does beside writing: instance 0 looks for orphans."""
        if self._settings.instance != 0:
            return lambda: None
        return Adopter(
            journal,
            rejected,
            root=self._root,
            service=self._service,
            instances=self._settings.instances,
            max_bytes=self._settings.outbox_max_bytes,
            interval_seconds=self._pace.adopt_seconds,
            adopted=notify,
        ).look


def _notes(parts: _Parts) -> list[str]:
    """What people should know of, fault or not."""
    notes = []
    if parts.journal.waiting_bytes:
        notes.append(f"{parts.journal.waiting_bytes} bytes wait")
    if parts.rejected.kept:
        notes.append(f"{parts.rejected.kept} rejected events are kept aside")
    if parts.delivery.torn:
        notes.append(f"{parts.delivery.torn} torn lines were skipped")
    dropped = sum(parts.recorder.dropped.values())
    if dropped:
        notes.append(f"{dropped} events were dropped")
    return notes


def _close(parts: _Parts) -> None:
    try:
        parts.journal.close()
    finally:
        parts.folder.release()
