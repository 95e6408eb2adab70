"""Notices at once when the caller leaves, whatever is being waited for."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from starlette.requests import ClientDisconnect
from starlette.types import Receive


class CallerWatch:
    """Around the work for a caller whose request has been read: raises ClientDisconnect inside it.

    A task beside the work waits on `receive`; when the caller is gone it cancels the work. Set
    `over` before the last bytes are sent: what comes then is no disconnect.
    """

    def __init__(self, receive: Receive) -> None:
        self.over = False
        self._receive = receive
        self._gone = False

    async def __aenter__(self) -> Self:
        work = asyncio.current_task()
        assert work is not None  # noqa: S101  # a coroutine runs in a task
        self._work = work
        self._watcher = asyncio.get_running_loop().create_task(self._watch())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._watcher.cancel()
        if self._gone and exc_type is not None and issubclass(exc_type, asyncio.CancelledError):
            self._work.uncancel()
            raise ClientDisconnect from exc

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not self.over:
            self._gone = True
            self._work.cancel()
