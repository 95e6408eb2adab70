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
from collections.abc import AsyncIterator, Awaitable, Callable
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
        self._healed_at = float("-inf")
        self._swept_at = float("-inf")
        # Files are read while passages are embedded: the one waits for the other's processes.
        self._reading, self._indexing = _Work(self._read), _Work(self._index)

    def wake(self) -> None:
        """There is something to do; another instance's worker sees it within half a second."""
        self._reading.woken.set()
        self._indexing.woken.set()

    def check(self) -> Check:
        problem = self._reading.problem or self._indexing.problem
        return Check(not problem, problem, critical=False)

    async def run(self) -> None:
        async with _sole(self._lock_path), asyncio.TaskGroup() as group:
            group.create_task(self._reading.run())
            group.create_task(self._indexing.run())

    async def _read(self) -> bool:
        """One file and one poem in turn: a long import holds no poem up, nor the other way round.
        False when there was none."""
        read = await self._uploads.read_one()
        return await self._poems.index_one() or read

    async def _index(self) -> bool:
        """A round of what the engines are needed for, else of what can wait; False when there was
        none."""
        try:
            busy = await self._place()
        except TrivetError:
            with suppress(Exception):  # the engines' absence is the problem that is told
                await self._tidy()
            raise
        finally:
            await self._placement.settle_jobs()
        return busy or (not self._reading.busy and await self._tidy())

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


class _Work:
    """Does `step` again and again: at once while it says that it did something, else after a while
    or when it is `woken`. No failure ends it."""

    def __init__(self, step: Callable[[], Awaitable[bool]]) -> None:
        self.woken = asyncio.Event()
        self.problem = ""
        self.busy = False
        self._step = step

    async def run(self) -> None:
        while True:
            try:
                self.busy = await self._step()
                self.problem = ""
            except TrivetError as error:
                await self._rest(error.message, None)
                continue
            except Exception as exc:  # noqa: BLE001  # the worker must outlive any one task
                await self._rest("indexing failed", exc)
                continue
            if not self.busy:
                await self._wait(_POLL_SECONDS)

    async def _rest(self, problem: str, exc: BaseException | None) -> None:
        if problem != self.problem:
            _log.warning("indexing waits", exc_info=exc, extra={"fields": {"problem": problem}})
        self.problem = problem
        await self._wait(_REST_AFTER_ERROR_SECONDS)

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.woken.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self.woken.clear()


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
