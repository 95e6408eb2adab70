"""The caller's side of an answer: headers with the first bytes, and a heartbeat in silence."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from starlette.types import Send

from services.kernel.protocol import Push
from services.kernel.sse import encode_comment

HEARTBEAT = encode_comment("keep-alive")
Headers = list[tuple[bytes, bytes]]
_JSON_HEADER = (b"content-type", b"application/json")
_STREAM_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)


class Outlet:
    """A stream to the caller. Within `with` a comment is sent in each silence.

    The heartbeat asks nothing of any upstream: it beats while one is waited for, between two
    attempts and before there is one. It costs a timer, and a task only when it beats. `headers` are
    sent with the first bytes; a heartbeat may be these, and then what is set later stays unsaid.
    """

    __slots__ = (
        "_beat",
        "_heartbeat_seconds",
        "_push",
        "_quiet",
        "_send",
        "_timer",
        "headers",
        "started",
    )

    def __init__(self, send: Send, heartbeat_seconds: float) -> None:
        self.started = False
        self.headers: Headers = []
        self._send = send
        self._push: Push | None = getattr(send, "push", None)  # see `Exchange` of the kernel
        self._heartbeat_seconds = heartbeat_seconds
        self._quiet = True  # nothing was sent since the last look
        self._timer: asyncio.TimerHandle | None = None
        self._beat: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._wind_up()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def takes_at_once(self) -> bool:
        """Whether `push` may be tried."""
        return self.started and self._push is not None

    def push(self, data: bytes) -> bool:
        """Whole events for the caller, if they can be written without waiting; else False."""
        self._quiet = False
        return self._push is not None and self._push(data)

    async def write(self, data: bytes) -> None:
        """Whole events for the caller; waits while the caller reads too slowly."""
        self._quiet = False
        if not self.started:
            await self._start()
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self, data: bytes) -> None:
        """The last events."""
        self.close()
        if not self.started:
            await self._start()
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    def close(self) -> None:
        """No heartbeat from now on."""
        if self._timer is not None:
            self._timer.cancel()
        if self._beat is not None:
            self._beat.cancel()

    async def _start(self) -> None:
        self.started = True
        headers = [*_STREAM_HEADERS, *self.headers]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    def _wind_up(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._heartbeat_seconds, self._tick)

    def _tick(self) -> None:
        if self._quiet and (self._beat is None or self._beat.done()):
            self._beat = asyncio.get_running_loop().create_task(self._fill_silence())
        self._quiet = True
        self._wind_up()

    async def _fill_silence(self) -> None:
        if not self.started:
            await self._start()
        await self._send({"type": "http.response.body", "body": HEARTBEAT, "more_body": True})


async def send_whole(send: Send, body: bytes, headers: Headers | None = None) -> None:
    """A JSON answer with status 200."""
    length = (b"content-length", b"%d" % len(body))
    sent = [_JSON_HEADER, length, *(headers or ())]
    await send({"type": "http.response.start", "status": 200, "headers": sent})
    await send({"type": "http.response.body", "body": body})
