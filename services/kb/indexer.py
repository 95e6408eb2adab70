"""The one worker that brings Chroma up to what SQLite says, however often it is killed.

Of all instances one works at a time: the one that holds a lock on a file, which the kernel frees
when a process dies. Everything it does can be done again: what is to be done stands in the database
(job files, changed poems, `pending`, `tombstones`, rebuild jobs) until it is done. While the
embedder or Chroma is away the work waits, and search goes on with the words alone.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO

from anyio import to_thread

from services.kb.placement import Placement
from services.kb.poems.indexing import PoemIndex
from services.kb.rebuild import Rebuild
from services.kb.scrubbing import Scrubber
from services.kb.uploads import UploadReader
from services.kernel.errors import TrivetError
from services.kernel.health import Check

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5
_REST_AFTER_ERROR_SECONDS = 1.0
_HEAL_SECONDS = 5.0
_SWEEP_SECONDS = 600.0


class Indexer:
    """Runs until it is cancelled. `wake` tells it that there is work."""

    def __init__(
        self,
        lock_path: Path,
        uploads: UploadReader,
        poems: PoemIndex,
        placement: Placement,
        rebuild: Rebuild,
        scrubber: Scrubber,
    ) -> None:
        self._lock_path = lock_path
        self._uploads = uploads
        self._poems = poems
        self._placement = placement
        self._rebuild = rebuild
        self._scrubber = scrubber
        self._woken = asyncio.Event()
        self._healed_at = float("-inf")
        self._swept_at = float("-inf")
        self._problem = ""

    def wake(self) -> None:
        """There is something to do; another instance's worker sees it within half a second."""
        self._woken.set()

    def check(self) -> Check:
        return Check(not self._problem, self._problem, critical=False)

    async def run(self) -> None:
        async with _sole(self._lock_path):
            while True:
                try:
                    busy = await self._step()
                    self._problem = ""
                except TrivetError as error:
                    await self._rest(error.message, None)
                    continue
                except Exception as exc:  # noqa: BLE001  # the worker must outlive any one task
                    await self._rest("indexing failed", exc)
                    continue
                if not busy:
                    await self._wait(_POLL_SECONDS)

    async def _step(self) -> bool:
        """A round of work, the most urgent first; False when there was none."""
        read = await self._uploads.read_one()
        # One of each in turn: a long import of files holds no poem up, nor the other way round.
        if await self._poems.index_one() or read:
            return True
        try:
            busy = await self._place()
        finally:
            await self._placement.settle_jobs()
        return busy or await self._tidy()

    async def _place(self) -> bool:
        """Some of everything that needs the engines, so that a long rebuild holds nothing up."""
        if time.monotonic() - self._healed_at > _HEAL_SECONDS:
            await self._placement.heal()
            self._healed_at = time.monotonic()
        buried = await self._placement.bury_some()
        rebuilt = await self._rebuild.run_some()
        return await self._placement.place_some() or buried or rebuilt

    async def _tidy(self) -> bool:
        """What can wait until there is nothing else to do."""
        if time.monotonic() - self._swept_at > _SWEEP_SECONDS:
            await self._uploads.sweep()
            self._swept_at = time.monotonic()
        return await self._scrubber.run_some()

    async def _rest(self, problem: str, exc: BaseException | None) -> None:
        if problem != self._problem:
            _log.warning("indexing waits", exc_info=exc, extra={"fields": {"problem": problem}})
        self._problem = problem
        with suppress(Exception):  # the engines' absence is the problem that is told
            await self._tidy()
        await self._wait(_REST_AFTER_ERROR_SECONDS)

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self._woken.clear()


@asynccontextmanager
async def _sole(lock_path: Path) -> AsyncIterator[None]:
    """Waits until no other process holds the lock, and holds it."""
    file = await to_thread.run_sync(_opened, lock_path)
    try:
        while not _locked(file):  # noqa: ASYNC110  # another process holds it: there is no event
            await asyncio.sleep(_POLL_SECONDS)
        yield
    finally:
        file.close()  # frees the lock


def _opened(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("wb")


def _locked(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
