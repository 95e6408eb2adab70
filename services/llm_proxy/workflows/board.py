"""Who is to be woken when something happens to a task, in whichever instance it happens.

A watcher keeps nothing but its place: it is woken, reads the next page of the task's history from
the database, and sends it. However slow it is, it costs one page of memory and slows nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import orjson
from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError

from services.kernel.sse import encode_event
from services.llm_proxy.workflows.changes import Changes
from services.llm_proxy.workflows.store import TaskStore
from services.llm_proxy.workflows.tasks import ENDED, FORMER_END, Payload, TaskEvent

# How soon watchers hear of what another instance does; less often while it does nothing.
LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.15, 1.0
_SLOWER = 1.3
PAGE_EVENTS = 200
_log = logging.getLogger(__name__)


class Bell:
    """Rings for one watcher; what rings while it is busy is not lost."""

    __slots__ = ("_rung",)

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, timeout_seconds: float) -> bool:
        """Whether it rang before the time was over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._rung.wait()
        rung = self._rung.is_set()
        self._rung.clear()
        return rung


class Page:
    """Some events of a task's history, as bytes; `position` is the last one's."""

    __slots__ = ("ended", "is_full", "position", "text")

    def __init__(self, events: list[TaskEvent], before: Payload, after: int) -> None:
        self.position = events[-1].position if events else after
        self.is_full = len(events) == PAGE_EVENTS
        self.ended: TaskEvent | None = None
        self.text = b""
        state = before
        for item in events:
            if item.event == FORMER_END:
                continue
            if item.event in ENDED:
                self.ended = item
                break
            if item.event == "token":
                self.text += encode(item.event, {**state, **item.data}, item.position)
            else:
                state = dict(item.data)
                self.text += encode(item.event, state, item.position)


def encode(event: str, payload: Payload, position: int | None = None) -> bytes:
    """One event on the wire: the task payload with the event's name in it."""
    data = orjson.dumps({"event": event, **payload})
    return encode_event(data, event=event, id=None if position is None else str(position))


class Board:
    """The watchers of this instance, and its look at what other instances do."""

    def __init__(self, store: TaskStore, changes: Changes) -> None:
        self._store = store
        self._changes = changes
        self._watched = asyncio.Event()  # somebody is
        self._bells: dict[str, set[Bell]] = {}
        self._pages: dict[tuple[str, int], asyncio.Future[Page]] = {}

    @contextmanager
    def listening(self, task_id: str) -> Iterator[Bell]:
        """A bell that rings for the task."""
        bell = Bell()
        self._bells.setdefault(task_id, set()).add(bell)
        self._watched.set()
        try:
            yield bell
        finally:
            bells = self._bells[task_id]
            bells.discard(bell)
            if not bells:
                del self._bells[task_id]
            if not self._bells:
                self._watched.clear()

    def ring(self, task_id: str) -> None:
        """Something has happened to the task: a reading that began before may not know it."""
        for key in [key for key in self._pages if key[0] == task_id]:
            del self._pages[key]
        for bell in self._bells.get(task_id, ()):
            bell.ring()

    async def watch(self) -> None:
        """Ring for what other instances do, until cancelled. Nobody watches: nobody looks."""
        while True:
            await self._watched.wait()
            number: int | None = None  # of the newest event that this instance knows
            version, pause_seconds = -1, LOOK_SECONDS
            while self._bells:
                try:
                    seen = await to_thread.run_sync(self._changes.version)
                    if seen != version:
                        number, pause_seconds = await self._look(number), LOOK_SECONDS
                        version = seen
                except SQLAlchemyError as exc:
                    _log.error("task events cannot be read", exc_info=exc)
                await asyncio.sleep(pause_seconds)
                pause_seconds = min(pause_seconds * _SLOWER, LONGEST_LOOK_SECONDS)

    async def _look(self, number: int | None) -> int:
        if number is None:
            newest, changed = await to_thread.run_sync(self._store.newest_event), {*self._bells}
        else:
            newest, changed = await to_thread.run_sync(self._store.news, number)
        for task_id in changed:
            self.ring(task_id)
        return newest

    async def page(self, task_id: str, after: int) -> Page:
        """The next events; watchers who ask for the same at the same time share one reading."""
        key = (task_id, after)
        reading = self._pages.get(key)
        if reading is None:
            reading = asyncio.ensure_future(self._read(task_id, after))
            self._pages[key] = reading
            reading.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(reading)

    def _forget(self, key: tuple[str, int], done: asyncio.Future[Page]) -> None:
        if self._pages.get(key) is done:
            del self._pages[key]
        if not done.cancelled() and done.exception() is not None:
            _log.error("a task's events cannot be read", exc_info=done.exception())

    async def _read(self, task_id: str, after: int) -> Page:
        events, before = await to_thread.run_sync(self._store.events, task_id, after, PAGE_EVENTS)
        return Page(events, before, after)
