"""One request and its answer, as the bytes come in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from services.kernel.errors import TrivetError, UpstreamError, UpstreamTimeout
from services.llm_proxy.upstream.answer import Answer
from services.llm_proxy.upstream.request import Request, Timeouts

if TYPE_CHECKING:
    from services.llm_proxy.upstream.connection import Connection

HIGH_WATER_BYTES = 256 * 1024  # of body that nobody has read yet: then reading is paused
_SENT = b""
Sink = Callable[[bytes], bool]


class BrokenOff(UpstreamError):
    """An answer ended before its end: what was read of it may lack its last part."""


class Exchange(Answer):
    """One request and its answer.

    Read with `head` and `read`; every failure is raised there as an error of the kernel's tree.
    `abort` may be called at any time and closes the connection in the same turn of the event loop.
    """

    __slots__ = (
        "_connection",
        "_deadline",
        "_end",
        "_error",
        "_fault",
        "_loop",
        "_reopen",
        "_retried",
        "_sink",
        "_stale",
        "_timer",
        "_timer_at",
        "_touched",
        "_waiter",
        "keeps_time",
        "origin",
        "paused",
        "payload",
        "timeouts",
    )

    def __init__(
        self,
        request: Request,
        timeouts: Timeouts,
        reopen: Callable[[Exchange], Awaitable[None]],
    ) -> None:
        super().__init__()
        self.origin = request.origin
        self.payload = request.payload  # dropped as soon as an answer comes: it may be large
        self.timeouts = timeouts
        self.keeps_time = True  # every byte counts as a sign of life; else only `expect` does
        self.paused = False  # the reader lags so far that the upstream is held back
        self._reopen = reopen
        self._loop = asyncio.get_running_loop()
        self._connection: Connection | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._sink: Sink | None = None
        self._fault: Exception | None = None  # of the sink
        self._timer: asyncio.TimerHandle | None = None
        self._end = self._loop.time() + timeouts.total_seconds
        self._deadline = self._timer_at = self._end
        self._error: TrivetError | None = None
        self._touched = self._stale = self._retried = False

    # -- for the reader ---------------------------------------------------------------------------

    async def head(self) -> int:
        """Wait for the head: the status."""
        while not self.status:
            if self._error is not None:
                raise self._error
            await self._news()
        return self.status

    async def read(self) -> bytes | None:
        """All that has come of the body since the last call; None at the end."""
        while not self.pieces:
            if self._error is not None:
                raise self._error
            if self.complete:
                return None
            await self._news()
        data = self.taken()
        if self.paused:
            self._resume()
        return data

    async def flow(self, sink: Sink) -> None:
        """Hand what comes of the body straight to `sink`, without waking anybody, until it says
        False or nothing more can come: `read` tells what there is then."""
        self._sink = sink
        try:
            while self._sink is not None and not (self.pieces or self.complete or self._error):
                await self._news()
        finally:
            self._sink = None
        if self._fault is not None:
            raise self._fault

    @property
    def failed(self) -> bool:
        return self._error is not None

    def expect(self, seconds: float) -> None:
        """The next sign of life must come within this time from now."""
        self._deadline = deadline = self._loop.time() + seconds
        if deadline < self._timer_at:
            self._arm()

    def abort(self) -> None:
        """Give up: the connection is closed now, whatever it is doing."""
        self.fail(UpstreamError("The call was given up."))

    def fail(self, error: TrivetError) -> None:
        """End with an error; what has come before it is still handed out."""
        if self._error is None and not self.complete:
            self._error = error
        self._let_go(keep=False)

    async def _news(self) -> None:
        if self._stale:
            self._stale = False
            await self._reopen(self)
            return
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _resume(self) -> None:
        self.paused = False
        if self.keeps_time:
            self.expect(self.timeouts.silence_seconds)
        if self._connection is not None:
            self._connection.resume()

    # -- for the connection -----------------------------------------------------------------------

    def begin(self, connection: Connection) -> None:
        """The request is on its way over `connection`."""
        if self._retried:
            self.reset()
        self._connection = connection
        self._deadline = self._loop.time() + self.timeouts.first_byte_seconds
        self._arm()

    def feed(self, data: bytes) -> None:
        """Bytes from the connection. Never raises: a failure ends the exchange."""
        if not self._touched:
            self._touched, self.payload = True, _SENT
        if self.keeps_time:
            self.expect(self.timeouts.silence_seconds)
        valid, sink = self.parse(data), self._sink
        if sink is None or self.complete or not (valid and self.pieces):
            self._take_in(valid)
            return
        try:
            goes_on = sink(self.taken())
        except Exception as exc:  # noqa: BLE001  # it belongs to the reader, who raises it
            self._fault, goes_on = exc, False
        if not goes_on:
            self._sink = None
            self._wake()

    def _take_in(self, valid: bool) -> None:
        """What no sink is there for: a head, the end, a fault, or a body that waits to be read."""
        if not valid:
            self.fail(UpstreamError("The upstream's answer is not valid HTTP."))
        elif self.oversize:
            self.fail(UpstreamError("The upstream's headers are too large."))
        elif self.complete:
            self._let_go(keep=self.clean and self.keep)
        else:
            if self.buffered_bytes > HIGH_WATER_BYTES and not self.paused and self._connection:
                self.paused = True
                self._connection.pause()
            self._wake()

    def lost(self, reused: bool, broken: bool) -> None:
        """The connection is gone."""
        self._connection = None
        if self.complete or self._error is not None:
            return
        if reused and not self._touched and not self._retried:
            self._retried = self._stale = True
        elif self.status and not self.framed and not broken:
            self.complete = True  # RFC 9112, 6.3: without length the close is the end
        elif self.status:
            self._error = BrokenOff("The upstream broke off its answer.")
        else:
            self._error = UpstreamError("The upstream closed the connection without an answer.")
        self.parser = None
        if not self._stale:
            self._disarm()
        self._wake()

    def _let_go(self, *, keep: bool) -> None:
        self._disarm()
        connection, self._connection = self._connection, None
        self.parser = None  # parser and exchange refer to each other
        if connection is not None:
            connection.finish(keep=keep)
        self._wake()

    # -- time -------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """One timer for all deadlines, moved lazily: a chunk costs a number, not a timer."""
        self._disarm()
        if self._error is not None or self.complete:
            return
        self._timer_at = min(self._deadline, self._end)
        seconds = max(self._timer_at - self._loop.time(), 0.001)
        self._timer = self._loop.call_later(seconds, self._tick)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        now = self._loop.time()
        if now >= self._end or (now >= self._deadline and not self.pieces):
            self.fail(UpstreamTimeout("The upstream did not answer in time."))
            return
        if now >= self._deadline:  # the reader lags, not the upstream
            self.expect(self.timeouts.silence_seconds)
        self._arm()
