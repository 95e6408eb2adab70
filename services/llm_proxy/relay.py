"""One attempt: a prepared call to one upstream, and its answer on the way to the caller.

Nothing is sent before the first real output: until then an attempt can fail without the caller's
seeing any of it, and another can take its place. Afterwards bytes go through as they come, with one
write for what one read brought. A stream that ends without its proper end is an error, recorded
so.
"""

from __future__ import annotations

from dataclasses import replace

from services.kernel.errors import TrivetError, UpstreamError
from services.llm_proxy.caller_watch import CallerWatch
from services.llm_proxy.outlet import Headers, Outlet
from services.llm_proxy.providers.base import Prepared, StreamReader
from services.llm_proxy.record import Record
from services.llm_proxy.target import header_value
from services.llm_proxy.upstream import Client, Exchange, Timeouts

MAX_ANSWER_BYTES = 64 * 1024**2
MAX_ERROR_BYTES = 256 * 1024
END_GRACE_SECONDS = 1.0  # for the upstream to end what it has said is over


class Relay:
    """Makes prepared calls and passes their answers on.

    `limit_seconds` is what is left of the caller's time, where that may be less than the call's.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def whole(
        self, call: Prepared, record: Record, limit_seconds: float | None = None
    ) -> bytes:
        """The caller's body for a call that does not stream. Raises the contract's errors."""
        record.sent_bytes = call.body_bytes
        timeouts = _within(call.timeouts.whole, limit_seconds)
        exchange = await self._client.open(call.request, timeouts)
        try:
            status = await exchange.head()
            limit = MAX_ANSWER_BYTES if status < 300 else MAX_ERROR_BYTES
            body = await _collect(exchange, limit)
        finally:
            exchange.abort()
        if status >= 300:
            raise call.dialect.error(status, dict(exchange.headers), body)
        _refuse_encoding(exchange)
        answer, record.outcome = call.dialect.whole(body)
        record.first_output()
        return answer

    async def stream(
        self,
        call: Prepared,
        outlet: Outlet,
        watch: CallerWatch,
        record: Record,
        limit_seconds: float | None = None,
    ) -> None:
        """Passes a stream on. Raises the contract's errors, before or after the first output."""
        record.sent_bytes = call.body_bytes
        timeouts = _within(call.timeouts.streaming, limit_seconds)
        exchange = await self._client.open(call.request, timeouts)
        try:
            exchange.keeps_time = False  # a head or a comment is no sign of life, data is
            # Made while the upstream thinks, not while the caller waits for its first bytes.
            reader = call.dialect.stream()
            current = _Current(exchange, reader, outlet, record)
            await exchange.head()
            await _refuse_no_stream(exchange, call)
            record.reader = reader
            last = await current.run()
            record.first_output()
            watch.over = True
            await outlet.finish(last)
            await _finish(exchange)
        finally:
            exchange.abort()


class _Current:
    """A stream from its exchange to the caller. Once it has begun, and while the caller reads fast
    enough, bytes go from one connection to the other in one turn of the event loop."""

    __slots__ = ("_exchange", "_held", "_outlet", "_reader", "_record", "_silence_seconds")

    def __init__(
        self, exchange: Exchange, reader: StreamReader, outlet: Outlet, record: Record
    ) -> None:
        self._exchange = exchange
        self._reader = reader
        self._outlet = outlet
        self._record = record
        self._silence_seconds = exchange.timeouts.silence_seconds
        self._held: bytes | None = None  # read, but not passed on yet

    async def run(self) -> bytes:
        """Passes on all but the last events, and returns those."""
        reader, outlet, record = self._reader, self._outlet, self._record
        while True:
            given = await self._next()
            if given and record.first_output_seconds is None:
                record.first_output()
                outlet.headers = answer_headers(record)
            if reader.ended and reader.failure is None:
                return given
            if given:
                await outlet.write(given)
            if reader.failure is not None:
                raise reader.failure

    async def _next(self) -> bytes:
        # Not before `run` has noted the first output: a heartbeat may have begun the answer.
        if self._record.first_output_seconds is not None and self._outlet.takes_at_once:
            await self._exchange.flow(self._pass)
            if self._held is not None:
                given, self._held = self._held, None
                return given
        data = await self._exchange.read()
        return self._reader.close() if data is None else self._read(data)

    def _read(self, data: bytes) -> bytes:
        reader = self._reader
        given = reader.feed(data)
        if reader.began and reader.alive:
            self._exchange.expect(self._silence_seconds)
        return given

    def _pass(self, data: bytes) -> bool:
        """Whether that is all there is to do about `data`."""
        given, reader = self._read(data), self._reader
        if not reader.ended and reader.failure is None and (not given or self._outlet.push(given)):
            return True
        self._held = given
        return False


def answer_headers(record: Record) -> Headers:
    """Which model answered and, where it stands in for another, for which."""
    if record.target is None:
        return []
    headers = [(b"x-trivet-model", header_value(record.target.name))]
    if record.fallback_from is not None:
        headers.append((b"x-trivet-fallback", header_value(record.fallback_from)))
    return headers


def _within(timeouts: Timeouts, limit_seconds: float | None) -> Timeouts:
    if limit_seconds is None or limit_seconds >= timeouts.total_seconds:
        return timeouts
    return replace(timeouts, total_seconds=limit_seconds)


async def _finish(exchange: Exchange) -> None:
    """Let the upstream end its message, so that the connection can be used again."""
    if exchange.complete:
        return
    exchange.expect(END_GRACE_SECONDS)
    try:
        while await exchange.read() is not None:
            pass
    except TrivetError:
        return  # the answer is whole; only the connection is lost


async def _collect(exchange: Exchange, limit_bytes: int) -> bytes:
    pieces, size = [], 0
    while (piece := await exchange.read()) is not None:
        pieces.append(piece)
        size += len(piece)
        if size > limit_bytes:
            raise UpstreamError("the provider's answer is too large.")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def _refuse_no_stream(exchange: Exchange, call: Prepared) -> None:
    """An error status, or an answer that is no stream though one was asked for."""
    if exchange.status >= 300:
        body = await _collect(exchange, MAX_ERROR_BYTES)
        raise call.dialect.error(exchange.status, dict(exchange.headers), body)
    _refuse_encoding(exchange)
    kind = exchange.header(b"content-type")
    if kind.startswith((b"application/json", b"text/html")):
        body = await _collect(exchange, MAX_ERROR_BYTES)
        if kind.startswith(b"application/json"):
            call.dialect.whole(body)  # raises the error that it holds
        raise UpstreamError("the provider did not stream.")


def _refuse_encoding(exchange: Exchange) -> None:
    if exchange.header(b"content-encoding") not in (b"", b"identity"):
        raise UpstreamError("the provider's answer is compressed, which was not asked for.")
