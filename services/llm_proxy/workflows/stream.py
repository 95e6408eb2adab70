"""A task's events as a stream for any number of watchers, in whichever instance they are.

History comes first, then what happens as it happens. An id is the event's place in the task's
history, so that `Last-Event-ID` goes on after it, here or in another instance.
https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable

from anyio import to_thread

from services.kernel.errors import Conflict
from services.kernel.rendering import error_payload
from services.llm_proxy.workflows.board import Bell, Board, Page, encode
from services.llm_proxy.workflows.store import TaskStore
from services.llm_proxy.workflows.tasks import CAME_TO_NOTHING, Payload, Task, TaskEvent, payload_of

_LONGEST_WAIT_SECONDS = 1.0  # until it is looked whether the process is about to stop


class TaskStream:
    """Makes streams. `is_stopping`: the process is about to end, so watchers go elsewhere."""

    def __init__(
        self,
        store: TaskStore,
        board: Board,
        *,
        heartbeat_seconds: float,
        is_stopping: Callable[[], bool],
    ) -> None:
        self._store = store
        self._board = board
        self._heartbeat_seconds = heartbeat_seconds
        self._is_stopping = is_stopping

    async def events(self, task: Task, last_event_id: str | None) -> AsyncGenerator[bytes]:
        """Whole events, as bytes, until the task's end has been told.

        Of a task that has failed or was cancelled a newcomer is told that alone: `connected` would
        make clients count it as a good connection and come again for ever.
        """
        place = _place(last_event_id)
        over = task.status in CAME_TO_NOTHING
        if over and place is None:
            yield encode(task.status, payload_of(task), await self._last_position(task))
            yield _error(payload_of(task))
            return
        last = await self._last_position(task)
        with self._board.listening(task.id) as bell:
            if not over:
                yield encode("connected", payload_of(task))
            async for data in self._following(task, min(place or 0, last), bell):
                yield data

    async def _following(self, task: Task, position: int, bell: Bell) -> AsyncGenerator[bytes]:
        """What comes after `position`. Nothing is read while nothing has happened."""
        beat_at, rung, is_current = self._next_beat(), True, True
        while not self._is_stopping():
            if rung:
                is_current = False
                page = await self._board.page(task.id, position)
                position = page.position
                if page.text:
                    yield page.text
                    beat_at = self._next_beat()
                end = page.ended or _end_told_before(task, page)
                if end is not None:
                    for data in _ending(end):
                        yield data
                    return
                if page.is_full:
                    continue
            if time.monotonic() >= beat_at:
                if not is_current:
                    task, is_current = await to_thread.run_sync(self._store.get, task.id), True
                yield encode("heartbeat", payload_of(task))
                beat_at = self._next_beat()
            rung = await bell.wait(min(beat_at - time.monotonic(), _LONGEST_WAIT_SECONDS))

    def _next_beat(self) -> float:
        return time.monotonic() + self._heartbeat_seconds

    async def _last_position(self, task: Task) -> int:
        return await to_thread.run_sync(self._store.last_position, task.id)


def _place(last_event_id: str | None) -> int | None:
    """The place of the last event that the watcher has seen; None for one who saw nothing."""
    if last_event_id and last_event_id.isascii() and last_event_id.isdigit():
        return min(int(last_event_id[:18]), 2**53)
    return None


def _end_told_before(task: Task, page: Page) -> TaskEvent | None:
    """For a watcher who has seen the end already: it is told again, and the watcher let go."""
    if task.has_ended and not page.text:
        return TaskEvent(page.position, task.status, payload_of(task))
    return None


def _ending(item: TaskEvent) -> list[bytes]:
    payload = dict(item.data)
    told = [encode(item.event, payload, item.position)]
    return told if item.event == "completed" else [*told, _error(payload)]


def _error(payload: Payload) -> bytes:
    """What ends the stream of a task that came to nothing; its `error` is that of the contract."""
    cancelled = Conflict("The task was cancelled.")
    error = payload.get("error") or error_payload(cancelled, str(payload["task_id"]))["error"]
    return encode("error", {**payload, "error": error})
