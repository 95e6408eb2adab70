"""Reads files in processes of their own, within bounds of memory and time (see `worker.py`)."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from services.kb.extraction.block import About, Block
from services.kernel.errors import Unprocessable

_log = logging.getLogger(__name__)
_ROOT = Path(__file__).parents[3]
_WORKERS = 2
_IDLE_SECONDS = 30.0
_MAX_LINE_BYTES = 1024**2
_BROKEN = "The file could not be read: its reader broke on it."


class ReaderFailed(Unprocessable):
    """The reader took too long, too much memory, or broke: the file's fault, or ours."""


@dataclass(frozen=True)
class Limits:
    """For one file. `memory_bytes` bounds a worker's address space."""

    memory_bytes: int
    seconds: float


class Reading:
    """A file that is being read in a worker."""

    def __init__(self, worker: _Worker, about: About) -> None:
        self.about = about
        self._worker = worker

    async def blocks(self) -> AsyncIterator[list[Block]]:
        """The blocks in order, some at a time. Raises Unprocessable."""
        while "end" not in (answer := await self._worker.answer()):
            yield [Block(*values) for values in answer["blocks"]]


class Sandbox:
    """At most two workers, each for many files; one that is idle for a while goes."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._free = asyncio.Semaphore(_WORKERS)
        self._idle: list[_Worker] = []

    @asynccontextmanager
    async def reading(self, path: Path, source: str) -> AsyncIterator[Reading]:
        """`path` is absolute. Raises Unprocessable for a file that cannot be read; so may reading
        its blocks."""
        async with self._free:
            worker = self._taken() or await _Worker.start(self._limits)
            try:
                answer = await worker.ask({"path": str(path), "source": source})
                yield Reading(worker, About(**answer["about"]))
            finally:
                await self._give_back(worker)

    async def aclose(self) -> None:
        while self._idle:
            await self._idle.pop().close()

    def _taken(self) -> _Worker | None:
        """An idle worker that still lives."""
        while self._idle:
            worker = self._idle.pop()
            if worker.lives:
                return worker
        return None

    async def _give_back(self, worker: _Worker) -> None:
        if not worker.fit:
            await worker.close()
            return
        self._idle.append(worker)
        asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._retire, worker, worker.served)

    def _retire(self, worker: _Worker, served: int) -> None:
        if worker in self._idle and worker.served == served:
            self._idle.remove(worker)
            worker.dismiss()


class _Worker:
    """One process. `fit`: it waits for a request; `served`: how many it has had."""

    def __init__(self, process: Process, limits: Limits) -> None:
        self.fit = True
        self.served = 0
        self._process = process
        self._limits = limits
        self._left_seconds = 0.0

    @property
    def lives(self) -> bool:
        return self._process.returncode is None

    @classmethod
    async def start(cls, limits: Limits) -> _Worker:
        module = "services.kb.extraction.worker"
        numbers = (str(limits.memory_bytes), str(int(limits.seconds)))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", module, *numbers),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,  # what libraries say of others' files stays out of our log
            cwd=_ROOT,
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            limit=_MAX_LINE_BYTES,
        )
        return cls(process, limits)

    async def ask(self, request: dict[str, str]) -> Any:
        assert self._process.stdin is not None  # noqa: S101  # it is a pipe
        self.fit = False
        self.served += 1
        self._left_seconds = self._limits.seconds
        with suppress(ConnectionError):  # a dead worker shows in the answer
            self._process.stdin.write(orjson.dumps(request) + b"\n")
            await self._process.stdin.drain()
        return await self.answer()

    async def answer(self) -> Any:
        """The next line. The time that is waited for all lines of a file is bounded."""
        answer = orjson.loads(await self._line())
        if "error" in answer:
            self.fit = not answer.get("spent", False)
            raise Unprocessable(answer["error"])
        if "fault" in answer:
            self.fit = True
            _log.warning("a reader failed", extra={"fields": {"fault": answer["fault"]}})
            raise ReaderFailed("The file could not be read.")
        self.fit = "end" in answer
        return answer

    async def _line(self) -> bytes:
        assert self._process.stdout is not None  # noqa: S101  # it is a pipe
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(self._left_seconds):
                line = await self._process.stdout.readline()
        except TimeoutError as exc:
            seconds = f"{self._limits.seconds:g}"
            raise ReaderFailed(f"The file takes longer than {seconds} s to be read.") from exc
        except ValueError as exc:  # asyncio's word for a line over the limit
            raise ReaderFailed(_BROKEN) from exc
        self._left_seconds -= loop.time() - started
        if not line.endswith(b"\n"):
            raise ReaderFailed(_BROKEN)
        return line

    def dismiss(self) -> None:
        """Ends it without waiting; the event loop reaps it."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def close(self) -> None:
        self.fit = False
        self.dismiss()
        await self._process.wait()
