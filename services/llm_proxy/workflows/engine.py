"""Finds tasks that may run, runs them, holds their leases, lets go when they are cancelled.

Each instance has one engine. What runs where is decided by the database alone.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError

from services.kernel.background import background
from services.kernel.errors import InternalError
from services.kernel.rendering import error_payload
from services.llm_proxy.workflows.backlog import Backlog
from services.llm_proxy.workflows.board import Board
from services.llm_proxy.workflows.changes import Changes
from services.llm_proxy.workflows.leases import Lease, LeaseLost, Leases
from services.llm_proxy.workflows.library import Library
from services.llm_proxy.workflows.runner import Runner
from services.llm_proxy.workflows.tasks import Task

# How soon a task that another instance gave back is seen. Its own are known at once, and whoever
# ends a task looks for the next one: no task waits for this.
POLL_SECONDS = 2.5
_JITTER = 0.2  # that instances do not all look at the same time
_CHANCE = random.SystemRandom()  # holds no state, which tests of properties watch in `random`
LOOK_SECONDS = 0.25  # how soon a cancellation in another instance is seen
_RENEWALS = 3  # in the time of one lease
_log = logging.getLogger(__name__)


class Engine:
    """Runs tasks. `on_ended` is told of each task that ended here."""

    def __init__(
        self,
        leases: Leases,
        changes: Changes,
        runner: Runner,
        library: Library,
        board: Board,
        *,
        lease_seconds: float,
        on_ended: Callable[[Task], None],
    ) -> None:
        self.backlog = Backlog()
        self._leases = leases
        self._changes = changes
        self._runner = runner
        self._library = library
        self._board = board
        self._lease_seconds = lease_seconds
        self._on_ended = on_ended
        self._running: dict[Lease, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._busy = asyncio.Event()  # something runs here
        self._closing = False
        self._renewed_at = 0.0

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Claims and runs inside the block; at its end what runs is given back."""
        async with background(self._hold(), "leases"):
            claiming = asyncio.create_task(self._claim(), name="claim tasks")
            try:
                yield
            finally:
                # First, and not by a cancellation: what is claimed in this moment is given back,
                # and what is given back is not claimed here once more.
                self._closing = True
                self.wake()
                await asyncio.wait([claiming])
                await self._stop()
                await claiming

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    async def run_now(self, task_id: str) -> None:
        """Begins one task, or goes on with it, whatever else runs."""
        arguments = (task_id, uuid4().hex, time.time(), self._lease_seconds)
        lease = await to_thread.run_sync(self._leases.claim_this, *arguments)
        if lease is not None:
            self._begin(lease)

    def let_go(self, task_id: str) -> None:
        """The task has been cancelled: its call ends now."""
        for lease, running in self._running.items():
            if lease.task_id == task_id:
                running.cancel()

    async def _claim(self) -> None:
        while not self._closing:
            self._wake.clear()  # before the look: what comes during it is not lost
            version = None
            try:
                version = await to_thread.run_sync(self._changes.version)
                while not self._closing and (lease := await self._next()) is not None:
                    self._begin(lease)
                self.backlog = await to_thread.run_sync(self._leases.backlog)
            except SQLAlchemyError as exc:
                _log.error("tasks cannot be claimed", exc_info=exc)
            while not await self._woken() and not await self._may_find_more(version):
                pass

    async def _woken(self) -> bool:
        """Waits to be woken, or until it is time to look what other instances have done."""
        spread = _CHANCE.uniform(1 - _JITTER, 1 + _JITTER)
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS * spread):
                await self._wake.wait()
        return self._wake.is_set()

    async def _may_find_more(self, version: int | None) -> bool:
        """Whether another look may find more than the last one, which began at `version`."""
        lease_until = self.backlog.first_lease_until
        if lease_until is not None and lease_until < time.time():
            return True
        try:
            return await to_thread.run_sync(self._changes.version) != version
        except SQLAlchemyError:
            return True  # the look itself says what is wrong

    async def _next(self) -> Lease | None:
        limits = {n: w.definition.concurrency for n, w in self._library.workflows.items()}
        arguments = (uuid4().hex, limits, time.time(), self._lease_seconds)
        return await to_thread.run_sync(self._leases.claim, *arguments)

    def _begin(self, lease: Lease) -> None:
        if not self._running:
            self._renewed_at = time.monotonic()
        self._board.ring(lease.task_id)
        running = asyncio.create_task(self._run(lease), name=f"task {lease.task_id}")
        self._running[lease] = running
        self._busy.set()
        running.add_done_callback(lambda _done: self._done(lease))

    def _done(self, lease: Lease) -> None:
        self._running.pop(lease, None)
        if not self._running:
            self._busy.clear()
        self._wake.set()  # there is room for another one

    async def _run(self, lease: Lease) -> None:
        fields = {"task_id": lease.task_id}
        try:
            task = await self._runner.run(lease)
        except LeaseLost:
            _log.info("task is run elsewhere or has ended", extra={"fields": fields})
        except SQLAlchemyError as exc:
            _log.error("task left, its lease runs out", exc_info=exc, extra={"fields": fields})
        except Exception as exc:  # noqa: BLE001  # a mistake of ours must not leave a task for ever
            _log.error("task failed unexpectedly", exc_info=exc, extra={"fields": fields})
            await self._fail(lease)
        else:
            if task.has_ended:
                self._on_ended(task)

    async def _fail(self, lease: Lease) -> None:
        failure = InternalError("Something went wrong on our side.")
        error = error_payload(failure, lease.task_id)["error"]
        with suppress(LeaseLost, SQLAlchemyError):
            task = await to_thread.run_sync(self._leases.fail, lease, error, failure.message)
            self._board.ring(lease.task_id)
            self._on_ended(task)

    # -- leases -----------------------------------------------------------------------------------

    async def _hold(self) -> None:
        while True:
            await self._busy.wait()
            await asyncio.sleep(min(LOOK_SECONDS, self._lease_seconds / (2 * _RENEWALS)))
            leases = list(self._running)
            if not leases:
                continue
            try:
                kept = await self._look(leases)
            except SQLAlchemyError as exc:
                _log.error("leases cannot be renewed", exc_info=exc)
                overdue = time.monotonic() - self._renewed_at > 0.9 * self._lease_seconds
                kept = set() if overdue else {lease.holder for lease in leases}
            for lease in leases:
                running = self._running.get(lease)
                if lease.holder not in kept and running is not None:
                    running.cancel()

    async def _look(self, leases: list[Lease]) -> set[str]:
        """The holders whose leases still hold; renewed, when it is time."""
        if time.monotonic() - self._renewed_at < self._lease_seconds / _RENEWALS:
            return await to_thread.run_sync(self._leases.held, leases)
        started = time.monotonic()
        arguments = (leases, time.time(), self._lease_seconds)
        kept = await to_thread.run_sync(self._leases.renew, *arguments)
        self._renewed_at = started
        return kept

    async def _stop(self) -> None:
        running = dict(self._running)
        for each in running.values():
            each.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)
        for lease in running:
            with suppress(SQLAlchemyError):
                await to_thread.run_sync(self._leases.release, lease)
