"""A configuration file that is taken anew when it changes; a broken one leaves the old in force."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import anyio.to_thread

from services.kernel.errors import ConfigurationError
from services.kernel.health import Check

T = TypeVar("T")
_log = logging.getLogger(__name__)


class WatchedFile(Generic[T]):
    """`current` is what `parse` made of the file; reading it costs nothing.

    The first reading raises ConfigurationError. `watch` looks every `interval_seconds`, in a
    thread; what was wrong with a later version is told by `check`.
    """

    def __init__(self, path: Path, parse: Callable[[str], T], *, interval_seconds: float) -> None:
        self._path = path
        self._parse = parse
        self._interval_seconds = interval_seconds
        self._seen = self._stamp()
        self._problem = ""
        self._reloading = threading.Lock()
        self.current = self._read()

    async def watch(self) -> None:
        """Look for changes until cancelled."""
        while True:
            await asyncio.sleep(self._interval_seconds)
            await anyio.to_thread.run_sync(self.refresh)

    def refresh(self) -> None:
        """Take the file anew if it has changed since the last look."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            self.reload()

    def reload(self) -> None:
        """Take the file anew, because something else that `parse` reads has changed."""
        with self._reloading:  # an older reading must not come after a newer one
            self._reload()

    def _reload(self) -> None:
        try:
            self.current = self._read()
        except ConfigurationError as error:
            self._problem = error.problems[0]
            fields = {"file": self._path.name, "problems": list(error.problems)}
            _log.error("configuration refused, the old one stays", extra={"fields": fields})
        except Exception as exc:  # noqa: BLE001  # the last net: else nobody would look again
            self._problem = f"{self._path.name} cannot be understood"
            _log.error("configuration refused, the old one stays", exc_info=exc)
        else:
            self._problem = ""
            _log.info("configuration taken anew", extra={"fields": {"file": self._path.name}})

    def check(self) -> Check:
        """Degraded while the file on disk is broken."""
        detail = f"the old one stays in force: {self._problem}" if self._problem else ""
        return Check(ok=not self._problem, detail=detail, critical=False)

    def _read(self) -> T:
        try:
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigurationError(f"{self._path.name} cannot be read") from exc
        return self._parse(text)

    def _stamp(self) -> tuple[int, int, int]:
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_size, found.st_ino)
