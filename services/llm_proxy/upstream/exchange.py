"""One request and its answer, as the bytes come in. The parser calls straight into it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

import httptools

from services.kernel.errors import TrivetError, UpstreamError, UpstreamTimeout
from services.llm_proxy.upstream.request import Request, Timeouts

if TYPE_CHECKING:
    from services.llm_proxy.upstream.connection import Connection

HIGH_WATER_BYTES = 256 * 1024  # of body that nobody has read yet: then reading is paused
MAX_BARREN_BYTES = 64 * 1024  # of head, trailers or chunk extensions without a byte of body
MAX_HEADERS = 256


class Parser(Protocol):
    """The part of httptools' response parser that is used here (it ships no types)."""

    def feed_data(self, data: bytes) -> None: ...
    def get_status_code(self) -> int: ...
    def should_keep_alive(self) -> bool: ...


class Exchange:
    """One request and its answer.

    `status` is 0 until the head is there; `headers` have lower-case names. Read with `head` and
    `read`; every failure is raised there as an error of the kernel's tree. `abort` may be called at
    any time and closes the connection in the same turn of the event loop.
    """

    __slots__ = (
        "_barren",
        "_body_bytes",
        "_buffered",
        "_connection",
        "_deadline",
        "_end",
        "_error",
        "_framed",
        "_interim",
        "_keep",
        "_loop",
        "_nudge_seconds",
        "_nudged",
        "_parser",
        "_paused",
        "_pieces",
        "_reopen",
        "_retried",
        "_stale",
        "_timer",
        "_touched",
        "_waiter",
        "clean",
        "complete",
        "headers",
        "keeps_time",
        "request",
        "status",
        "timeouts",
    )

    def __init__(
        self,
        request: Request,
        timeouts: Timeouts,
        reopen: Callable[[Exchange], Awaitable[None]],
    ) -> None:
        self.request = request
        self.keeps_time = True  # every byte counts as a sign of life; else only `expect` does
        self.timeouts = timeouts
        self._reopen = reopen
        self._loop = asyncio.get_running_loop()
        self._connection: Connection | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._end = self._loop.time() + timeouts.total_seconds
        self._deadline = self._end
        self._nudge_seconds = 0.0
        self._retried = False
        self._reset()

    def _reset(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = False
        self.clean = True  # nothing came after the answer
        self._error: TrivetError | None = None
        self._stale = self._touched = self._framed = self._interim = self._keep = False
        self._nudged = self._paused = False
        self._pieces: list[bytes] = []
        self._buffered = self._body_bytes = self._barren = 0
        self._parser: Parser | None = httptools.HttpResponseParser(self)

    # -- for the reader ---------------------------------------------------------------------------

    async def head(self) -> int:
        """Wait for the head (or a nudge): the status, or 0 after a nudge."""
        while not self.status:
            if self._error is not None:
                raise self._error
            if self._nudged:
                self._nudged = False
                return 0
            await self._news()
        return self.status

    async def read(self) -> bytes | None:
        """All that has come of the body since the last call; b"" after a nudge; None at the end."""
        while not self._pieces:
            if self._error is not None:
                raise self._error
            if self.complete:
                return None
            if self._nudged:
                self._nudged = False
                return b""
            await self._news()
        pieces, self._pieces, self._buffered = self._pieces, [], 0
        if self._paused:
            self._resume()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    @property
    def failed(self) -> bool:
        return self._error is not None

    @property
    def paused(self) -> bool:
        """Whether the reader lags so far that the upstream is held back."""
        return self._paused

    @property
    def buffered_bytes(self) -> int:
        return self._buffered

    def header(self, name: bytes) -> bytes:
        """The value of a header of the answer, b"" where it is missing."""
        return next((value for key, value in self.headers if key == name), b"")

    def expect(self, seconds: float) -> None:
        """The next sign of life must come within this time from now."""
        self._deadline = min(self._loop.time() + seconds, self._end)

    def nudge_every(self, seconds: float) -> None:
        """Wake the reader at least this often, so that it can do something while waiting."""
        self._nudge_seconds = seconds
        self._arm()

    def abort(self) -> None:
        """Give up: the connection is closed now, whatever it is doing."""
        if self._error is None and not self.complete:
            self._error = UpstreamError("The call was given up.")
        self._let_go(abort=True)

    def fail(self, error: TrivetError) -> None:
        """End with an error; what has been read before is still handed out."""
        if self._error is None and not self.complete:
            self._error = error
        self._let_go(abort=True)

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
        self._paused = False
        if self.keeps_time:
            self.expect(self.timeouts.silence_seconds)
        if self._connection is not None:
            self._connection.resume()

    # -- for the connection -----------------------------------------------------------------------

    def begin(self, connection: Connection) -> None:
        """The request is on its way over `connection`."""
        if self._retried:
            self._reset()
        self._connection = connection
        self.expect(self.timeouts.first_byte_seconds)
        self._arm()

    def feed(self, data: bytes) -> None:
        """Bytes from the connection. Never raises: a failure ends the exchange."""
        self._touched = True
        before = self._body_bytes
        parser = self._parser
        if parser is None:
            return
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.clean = False
            if not self.complete:
                self.fail(UpstreamError("The upstream's answer is not valid HTTP."))
                return
        self._count(len(data), before)
        if self.complete:
            self._let_go(abort=False)
        elif self.keeps_time:
            self.expect(self.timeouts.silence_seconds)
        self._wake()

    def lost(self, reused: bool, broken: bool) -> None:
        """The connection is gone."""
        self._connection = None
        if self.complete or self._error is not None:
            return
        self._parser = None
        if reused and not self._touched and not self._retried:
            self._retried = self._stale = True
        elif self.status and not self._framed and not broken:
            self.complete = True  # RFC 9112, 6.3: without length the close is the end
        elif self.status:
            self._error = UpstreamError("The upstream broke off its answer.")
        else:
            self._error = UpstreamError("The upstream closed the connection without an answer.")
        if not self._stale:
            self._disarm()
        self._wake()

    def _count(self, size: int, body_before: int) -> None:
        """Bounds what is held: pause on a slow reader, refuse a head without end."""
        if self._body_bytes != body_before or self.complete:
            self._barren = 0
        else:
            self._barren += size
        if self._barren > MAX_BARREN_BYTES or len(self.headers) > MAX_HEADERS:
            self.fail(UpstreamError("The upstream's headers are too large."))
        elif self._buffered > HIGH_WATER_BYTES and not self._paused and self._connection:
            self._paused = True
            self._connection.pause()

    def _let_go(self, *, abort: bool) -> None:
        self._disarm()
        connection, self._connection = self._connection, None
        self._parser = None  # parser and exchange refer to each other
        if connection is not None:
            connection.finish(keep=self.clean and self._keep and not abort)
        self._wake()

    # -- time -------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """One timer for all deadlines, moved lazily: a chunk costs a number, not a timer."""
        if self._timer is not None:
            self._timer.cancel()
        wait = max(self._deadline - self._loop.time(), 0.001)
        if self._nudge_seconds:
            wait = min(wait, self._nudge_seconds)
        self._timer = self._loop.call_later(wait, self._tick)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        now = self._loop.time()
        if now >= self._end or (now >= self._deadline and not self._pieces):
            self.fail(UpstreamTimeout("The upstream did not answer in time."))
            return
        if now >= self._deadline:  # the reader lags, not the upstream
            self.expect(self.timeouts.silence_seconds)
        if self._nudge_seconds:
            self._nudged = True
            self._wake()
        self._arm()

    # -- called by the parser ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.complete:
            self.clean = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.status:
            return  # a trailer
        key = name.lower()
        if key in (b"content-length", b"transfer-encoding"):
            self._framed = True
        if len(self.headers) <= MAX_HEADERS:
            self.headers.append((key, value))

    def on_headers_complete(self) -> None:
        if self.complete or self._parser is None:
            return
        status = self._parser.get_status_code()
        if status < 200:  # 1xx: interim, the real head follows
            self._interim = True
            self.headers.clear()
        else:
            self.status = status

    def on_body(self, body: bytes) -> None:
        if self.complete:
            return
        self._pieces.append(body)
        self._buffered += len(body)
        self._body_bytes += len(body)

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
        elif self._parser is not None and not self.complete:
            self.complete = True
            self._keep = self._parser.should_keep_alive()  # afterwards the parser has forgotten
