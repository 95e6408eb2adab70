"""Notices when the caller leaves, whatever is being waited for."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from services.kernel.errors import Overloaded
from services.kernel.protocol import Presence

PATIENCE_SECONDS = 0.01  # a call that is answered sooner needs no task that watches


class CallerWatch:
    """Around the work for a caller whose request has been read: raises ClientDisconnect inside it.

    The server tells when the caller has left (`Incoming.presence`). Where it cannot, a task waits
    on `receive`. Set `over` before the last bytes are sent: what comes then is no disconnect.
    Nobody else cancels the work but the server, when it has waited long enough for it at its end:
    that is Overloaded.
    """

    __slots__ = ("_gone", "_presence", "_receive", "_timer", "_watcher", "_work", "over")

    def __init__(self, receive: Receive) -> None:
        self.over = False
        self._receive = receive
        self._presence: Presence | None = getattr(receive, "presence", None)
        self._gone = False
        self._timer: asyncio.TimerHandle | None = None
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        work = asyncio.current_task()
        assert work is not None  # noqa: S101  # a coroutine runs in a task
        self._work = work
        if self._presence is not None:
            self._presence.watch(self._left)
        else:
            self._timer = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._start)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._presence is not None:
            self._presence.forget(self._left)
        if self._timer is not None:
            self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if exc_type is None or not issubclass(exc_type, asyncio.CancelledError):
            return
        self._work.uncancel()
        if self._gone:
            raise ClientDisconnect from exc
        raise Overloaded("The service is restarting. Please try again.") from exc

    def _left(self) -> None:
        if not self.over:
            self._gone = True
            self._work.cancel()

    def _start(self) -> None:
        if not self.over:
            self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left()
