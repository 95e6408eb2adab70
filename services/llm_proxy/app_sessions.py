"""Which session of a DashScope application goes with a caller's `X-Session-ID`.

The vendor names a session itself and keeps its history for an hour. A caller who sends one message
at a time under one `X-Session-ID` goes on with it; one who sends the history needs no session, and
one who sends `session_id` has chosen. All instances share one SQLite file, which is a cache: when
it is lost, conversations begin anew.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

from anyio import to_thread

from services.kernel.context import RequestContext
from services.llm_proxy.providers.base import VendorSession
from services.llm_proxy.target import Target

LIFE_SECONDS = 3600.0
_BUSY_SECONDS = 2.0
_TABLE = """CREATE TABLE IF NOT EXISTS sessions
    (key BLOB PRIMARY KEY, vendor_id TEXT NOT NULL, used_at REAL NOT NULL) WITHOUT ROWID"""
_log = logging.getLogger(__name__)
T = TypeVar("T")


class AppSessions:
    """The sessions of the last hour; a file that cannot be used costs the memory alone."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._path = path
        self._running: dict[bytes, VendorSession] = {}  # until they are written down

    @asynccontextmanager
    async def going_on(
        self, context: RequestContext, target: Target, body: Mapping[str, Any]
    ) -> AsyncIterator[VendorSession | None]:
        """The session to go on with or to begin, around one call; what the vendor tells is kept.

        None where the caller wants none of ours.
        """
        if context.session_id is None or body.get("session_id") or _has_history(body):
            yield None
            return
        key = _key(context, target)
        session = VendorSession(await self._known(key))
        self._running[key] = session
        try:
            yield session
        finally:
            if (told := session.told) is not None:
                await self._within(lambda base: self._keep(base, key, told))
            if self._running.get(key) is session:
                del self._running[key]

    async def _known(self, key: bytes) -> str | None:
        """A caller may ask again before the last answer's session is written down."""
        running = self._running.get(key)
        if running is not None and (running.told or running.known):
            return running.told or running.known
        return await self._within(lambda base: self._find(base, key))

    async def _within(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        try:
            return await to_thread.run_sync(lambda: self._run(work))
        except sqlite3.Error as exc:
            fields = {"error": type(exc).__name__}
            _log.warning("sessions of applications are forgotten", extra={"fields": fields})
            return None

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS)) as base, base:
            base.execute(_TABLE)
            return work(base)

    def _find(self, base: sqlite3.Connection, key: bytes) -> str | None:
        query = "SELECT vendor_id FROM sessions WHERE key = ? AND used_at > ?"
        row = base.execute(query, (key, self.clock() - LIFE_SECONDS)).fetchone()
        return str(row[0]) if row else None

    def _keep(self, base: sqlite3.Connection, key: bytes, vendor_id: str) -> None:
        now = self.clock()
        base.execute("DELETE FROM sessions WHERE used_at <= ?", (now - LIFE_SECONDS,))
        base.execute("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?)", (key, vendor_id, now))


def _has_history(body: Mapping[str, Any]) -> bool:
    said = [message for message in body["messages"] if message["role"] != "system"]
    return len(said) != 1


def _key(context: RequestContext, target: Target) -> bytes:
    """One caller's session with one application: nobody goes on with a stranger's by its name."""
    caller = context.caller
    person = caller.visitor or (context.visitor_id if caller.kind == "visitor" else "")
    parts = (caller.id, person, context.session_id or "", target.name)
    return blake2b("\0".join(parts).encode(), digest_size=16).digest()
