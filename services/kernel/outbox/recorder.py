"""From memory to disk: events are gathered in a bounded list that one thread writes out."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

from services.kernel.outbox.event import MAX_EVENT_BYTES
from services.kernel.outbox.journal import Journal
from services.kernel.outbox.pace import Pace

_log = logging.getLogger(__name__)


class Recorder:
    """Owns the appending side of a journal. `flushed` is called after each write, `upkeep` about
    once a second, both in the recorder's thread."""

    def __init__(
        self,
        journal: Journal,
        max_bytes: int,
        pace: Pace,
        *,
        flushed: Callable[[], None],
        upkeep: Callable[[], None],
    ) -> None:
        self.dropped: Counter[str] = Counter()
        self.recorded = 0
        self.failing = False
        self._journal = journal
        self._max_bytes = max_bytes
        self._pace = pace
        self._on_flushed = flushed
        self._upkeep = upkeep
        self._refused = False
        self._lock = threading.Lock()
        self._written = threading.Condition(self._lock)
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._in_hand = 0  # events between the list and the disk
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox-writer", daemon=True)

    @property
    def full(self) -> bool:
        """Whether the newest event was dropped and the next one would be, too."""
        waiting = self._pending_bytes + self._journal.size_bytes
        return self._refused and waiting + MAX_EVENT_BYTES > self._max_bytes

    def start(self) -> None:
        self._thread.start()

    def add(self, line: bytes) -> None:
        """Takes one line, or counts it as dropped when there is no room."""
        size = len(line)
        with self._lock:
            waiting = self._pending_bytes + size
            if self._stopping.is_set():
                self.dropped["stopped"] += 1
                return
            self._refused = waiting + self._journal.size_bytes > self._max_bytes
            if self._refused or waiting > self._pace.memory_max_bytes:
                self.dropped["full" if self._refused else "memory"] += 1
                return
            self._pending.append(line)
            self._pending_bytes = waiting
            self.recorded += 1
        if not self._wake.is_set():
            self._wake.set()

    def drop(self, reason: str) -> None:
        """Counts an event of which no line could be made."""
        with self._lock:
            self.dropped[reason] += 1

    def wait_written(self, timeout_seconds: float) -> bool:
        """Blocks until all that was added before is on disk; False when it is not in time."""
        with self._written:
            target = self.recorded
            return self._written.wait_for(lambda: self._on_disk() >= target, timeout_seconds)

    def _on_disk(self) -> int:
        return self.recorded - len(self._pending) - self._in_hand

    def stop(self) -> None:
        """Takes no more, writes the last events and ends the thread. Blocks."""
        with self._lock:
            self._stopping.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        next_upkeep = time.monotonic()
        while not self._stopping.is_set():
            self._wake.wait(self._pace.sync_seconds)
            self._stopping.wait(self._pace.flush_seconds)  # gathers what comes close together
            self._wake.clear()
            self._flush()
            if time.monotonic() >= next_upkeep:
                self._keep_up()
                next_upkeep = time.monotonic() + self._pace.sync_seconds
        self._flush()
        with self._lock:
            self.dropped["disk"] += len(self._pending)
            self._pending.clear()

    def _flush(self) -> None:
        with self._lock:
            batch, self._pending = self._pending, []
            self._in_hand = len(batch)
        if not batch:
            return
        data = b"".join(batch)
        try:
            self._journal.append(data)
        except OSError as exc:
            self._put_back(batch, exc)
            return
        self.failing = False
        with self._written:
            self._pending_bytes -= len(data)
            self._in_hand = 0
            self._written.notify_all()
        self._on_flushed()

    def _put_back(self, batch: list[bytes], error: OSError) -> None:
        if not self.failing:
            _log.error("events cannot be written to disk", extra={"fields": {"errno": error.errno}})
        self.failing = True
        with self._lock:
            self._pending[:0] = batch
            self._in_hand = 0
        self._stopping.wait(self._pace.sync_seconds)
        self._wake.set()

    def _keep_up(self) -> None:
        try:
            self._journal.sync()
            self._upkeep()
        except OSError as exc:
            _log.error("outbox upkeep failed", extra={"fields": {"errno": exc.errno}})
