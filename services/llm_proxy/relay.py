"""One answer from upstream to the caller.

Nothing is sent before the first real output: until then an upstream's error becomes an HTTP error
with its own status. If that takes long, the first heartbeat (a comment) sends the headers, and from
then on errors are events in the stream. Afterwards bytes go through as they come, with one `send`
for what one read brought. A stream that ends without its proper end is an error, recorded so.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Send

from services.kernel.errors import TrivetError, UpstreamError
from services.kernel.sse import encode_comment
from services.llm_proxy.caller_watch import CallerWatch
from services.llm_proxy.metering import Record
from services.llm_proxy.providers.base import Prepared, StreamReader, TimeoutConfig
from services.llm_proxy.upstream import BrokenOff, Client, Exchange

MAX_ANSWER_BYTES = 64 * 1024**2
MAX_ERROR_BYTES = 256 * 1024
END_GRACE_SECONDS = 1.0  # for the upstream to end what it has said is over
HEARTBEAT = encode_comment("keep-alive")
_JSON_HEADERS = (b"content-type", b"application/json")
_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


@dataclass(slots=True)
class Outlet:
    """The caller's side of a stream: headers with the first bytes, heartbeats in silence."""

    send: Send
    started: bool = False
    quiet: bool = True  # nothing was sent since the last nudge

    async def write(self, data: bytes, *, more: bool = True) -> None:
        if not self.started:
            self.started = True
            await self.send(
                {"type": "http.response.start", "status": 200, "headers": list(_STREAM_HEADERS)}
            )
        self.quiet = False
        await self.send({"type": "http.response.body", "body": data, "more_body": more})

    async def nudged(self) -> None:
        """Some time has passed: say something if nothing was said meanwhile."""
        if self.quiet:
            await self.write(HEARTBEAT)
        self.quiet = True


class Relay:
    """Makes prepared calls and passes their answers on."""

    def __init__(self, client: Client, *, heartbeat_seconds: float) -> None:
        self._client = client
        self._heartbeat_seconds = heartbeat_seconds

    async def whole(self, call: Prepared, record: Record) -> bytes:
        """The caller's body for a call that does not stream. Raises the contract's errors."""
        record.sent_bytes = call.body_bytes
        exchange = await self._client.open(call.request, call.timeouts.whole)
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
        self, call: Prepared, outlet: Outlet, watch: CallerWatch, record: Record
    ) -> None:
        """Passes a stream on. Raises the contract's errors, before or after the first bytes."""
        record.sent_bytes = call.body_bytes
        exchange = await self._client.open(call.request, call.timeouts.streaming)
        try:
            exchange.nudge_every(self._heartbeat_seconds)
            while not await exchange.head():
                await outlet.nudged()
            await _refuse_no_stream(exchange, call)
            reader = record.reader = call.dialect.stream()
            await self._pass_on(exchange, reader, outlet, watch, record, call.timeouts)
        except TrivetError as error:
            record.fail(error, 200 if outlet.started else None)
            if isinstance(error, BrokenOff) and record.reader and record.reader.began:
                record.end_reason = "truncated"
            raise
        finally:
            exchange.abort()

    async def _pass_on(
        self,
        exchange: Exchange,
        reader: StreamReader,
        outlet: Outlet,
        watch: CallerWatch,
        record: Record,
        timeouts: TimeoutConfig,
    ) -> None:
        exchange.keeps_time = False  # comments are no sign of life, data is
        exchange.expect(timeouts.first_output_seconds)
        while not reader.ended and reader.failure is None:
            data = await exchange.read()
            if data:
                given = reader.feed(data)
                if reader.alive:
                    silence, first = timeouts.silence_seconds, timeouts.first_output_seconds
                    exchange.expect(silence if reader.began else first)
            elif data is None:
                given = reader.close()
            else:
                await outlet.nudged()
                continue
            if given and not reader.ended:
                if record.first_output_seconds is None:
                    record.first_output()
                await outlet.write(given)
        if reader.failure is not None:
            raise reader.failure
        record.first_output()
        watch.over = True
        await outlet.write(given, more=False)
        await _finish(exchange)


async def _finish(exchange: Exchange) -> None:
    """Let the upstream end its message, so that the connection can be used again."""
    if exchange.complete:
        return
    exchange.nudge_every(0)
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


async def send_whole(send: Send, body: bytes) -> None:
    """A JSON answer with status 200."""
    headers = [_JSON_HEADERS, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
