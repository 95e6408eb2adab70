"""Events of instances that are gone, as after scaling down: taken over by one that runs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from services.kernel.outbox.folder import orphan_folders
from services.kernel.outbox.journal import Journal
from services.kernel.outbox.rejected import RejectedFile

_log = logging.getLogger(__name__)


class Adopter:
    """Looks for orphans every `interval_seconds`; a configured instance's folder must have been
    left alone for as long. Blocks: for the recorder's thread."""

    def __init__(
        self,
        journal: Journal,
        rejected: RejectedFile,
        *,
        root: Path,
        service: str,
        instances: int,
        max_bytes: int,
        interval_seconds: float,
        adopted: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._rejected = rejected
        self._root = root
        self._service = service
        self._instances = instances
        self._max_bytes = max_bytes
        self._interval_seconds = interval_seconds
        self._on_adopted = adopted
        self._due = 0.0

    def look(self) -> None:
        """Takes over what it finds, as far as there is room. Raises OSError."""
        now = time.time()
        if now < self._due:
            return
        self._due = now + self._interval_seconds
        idle_before = now - self._interval_seconds
        count = 0
        for orphan in orphan_folders(self._root, self._service, self._instances, idle_before):
            try:
                room = self._max_bytes - self._journal.size_bytes
                count += self._journal.adopt(orphan.path, room)
                self._rejected.take_from(orphan.path)
            finally:
                orphan.remove()
        if count:
            _log.info("segments were adopted", extra={"fields": {"count": count}})
            self._on_adopted()
