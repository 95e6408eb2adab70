"""A very light OpenAI-compatible upstream for measuring what stands in front of it.

    python -m bench.upstream PORT

The model's name says how the reply behaves: `mock+chunks=50+delay_ms=20` is a stream of 50
chunks, 20 ms apart (see `Behaviour`). Each content chunk carries the time at which it was sent,
`@<20 digits of time.monotonic_ns()>;`: the clock is one for all processes of a machine, so a
driver beside it reads off how long the chunk was on its way.

A call whose body names a `user` is watched: `GET /stats` tells which of these are being answered
now and at what time the connection of a tag was closed before its answer was whole.
"""

import asyncio
import random
import socket
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass, field, fields
from functools import cache, lru_cache
from typing import Any, cast

import httptools
import orjson
import uvloop

KEPT_CLOSINGS = 4096  # how many closed tags are remembered
BACKLOG = 4096
STAMP = "@%020d;"
USAGE = {"prompt_tokens": 31, "completion_tokens": 60, "total_tokens": 91}
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


@dataclass(frozen=True)
class Behaviour:
    """How one reply behaves, read from the model's name."""

    chunks: int = 20  # content chunks of a stream
    delay_ms: int = 0  # between two chunks; 0: one chunk each turn of the event loop
    first_ms: int = 0  # before the first byte of the reply
    pad_bytes: int = 20  # of content in each chunk, beside the time of sending
    quiet_after: int = -1  # after so many chunks stay open and send no more

    @classmethod
    @lru_cache(maxsize=1024)
    def of(cls, model: str) -> "Behaviour":
        """Parse `anything+name=number+name=number`; what is not named keeps its default."""
        known = {item.name for item in fields(cls)}
        pairs = [part.partition("=") for part in model.split("+")[1:]]
        return cls(**{name: int(value) for name, _, value in pairs if name in known})


@dataclass
class Ledger:
    """What this upstream saw."""

    requests: int = 0
    streams: int = 0
    streams_peak: int = 0
    connections: int = 0
    open_tags: set[str] = field(default_factory=set)
    closed_ns: OrderedDict[str, int] = field(default_factory=OrderedDict)

    def stream_began(self) -> None:
        self.streams += 1
        self.streams_peak = max(self.streams, self.streams_peak)

    def closed(self, tag: str) -> None:
        self.closed_ns[tag] = time.monotonic_ns()
        if len(self.closed_ns) > KEPT_CLOSINGS:
            self.closed_ns.popitem(last=False)

    def to_json(self) -> bytes:
        return orjson.dumps(
            {
                "requests": self.requests,
                "streams": self.streams,
                "streams_peak": self.streams_peak,
                "connections": self.connections,
                "open_tags": sorted(self.open_tags),
                "closed_ns": dict(self.closed_ns),
            }
        )


def framed(data: bytes) -> bytes:
    """`data` as one chunk of HTTP's chunked coding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def whole_reply(body: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body


def event(choices: list[dict[str, Any]], **more: object) -> bytes:
    """One server-sent event with an OpenAI chunk."""
    chunk = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "mock",
        "choices": choices,
        **more,
    }
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


def delta(content: dict[str, str], finish_reason: str | None = None) -> list[dict[str, Any]]:
    return [{"index": 0, "delta": content, "finish_reason": finish_reason}]


@dataclass(frozen=True)
class Script:
    """The bytes of a stream, made once for each size of chunk."""

    opening: bytes
    chunk: bytes  # with one %-place for the time of sending
    closing: bytes


@cache
def script(pad_bytes: int, include_usage: bool) -> Script:
    """Opening, chunk and closing, framed; the usage event comes when it was asked for."""
    content = event(delta({"content": STAMP + "x" * pad_bytes}))
    length = len(content % 0)
    usage = framed(event([], usage=USAGE)) if include_usage else b""
    return Script(
        STREAM_HEAD + framed(event(delta({"role": "assistant", "content": ""}))),
        b"%x\r\n%b\r\n" % (length, content),
        framed(event(delta({}, "stop"))) + usage + framed(b"data: [DONE]\n\n") + b"0\r\n\r\n",
    )


@cache
def json_reply() -> bytes:
    message = {"role": "assistant", "content": "lorem ipsum " * 25}
    completion = {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "mock",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": USAGE,
    }
    return whole_reply(orjson.dumps(completion))


class Connection(asyncio.Protocol):
    """One kept connection; answers one request after the other."""

    transport: asyncio.Transport

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.loop = asyncio.get_running_loop()
        self.parser = httptools.HttpRequestParser(self)
        self.path = b""
        self.body = b""
        self.tag: str | None = None  # of the request that is being answered
        self.behaviour: Behaviour | None = None  # of the stream that is open
        self.writable = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.ledger.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self.ledger.connections -= 1
        if self.tag:
            self.ledger.closed(self.tag)
        self._answered()

    def pause_writing(self) -> None:
        self.writable = False

    def resume_writing(self) -> None:
        self.writable = True
        if self.behaviour:
            self.loop.call_soon(self._next_chunk)

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.abort()

    # What httptools calls.
    def on_url(self, url: bytes) -> None:
        self.path, self.body = url, b""

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"expect":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        if self.path == b"/stats":
            self.transport.write(whole_reply(self.ledger.to_json()))
        elif self.path.endswith(b"/chat/completions"):
            self._answer(orjson.loads(self.body))
        else:
            self.transport.write(whole_reply(b"{}", b"404 Not Found"))

    def _answer(self, request: dict[str, Any]) -> None:
        self.ledger.requests += 1
        behaviour = Behaviour.of(request.get("model", ""))
        self.tag = request.get("user")
        if self.tag:
            self.ledger.open_tags.add(self.tag)
        wait_seconds = behaviour.first_ms / 1e3
        if wait_seconds:
            self.loop.call_later(wait_seconds, self._reply, behaviour, request)
        else:
            self._reply(behaviour, request)

    def _reply(self, behaviour: Behaviour, request: dict[str, Any]) -> None:
        if self.transport.is_closing():
            return
        if not request.get("stream"):
            self._answered()
            self.transport.write(json_reply())
            return
        options = request.get("stream_options") or {}
        self.script = script(behaviour.pad_bytes, bool(options.get("include_usage")))
        self.behaviour, self.sent = behaviour, 0
        # Streams that begin together would else tick together and measure one another's queue.
        self.began = self.loop.time() - random.random() * behaviour.delay_ms / 1e3
        self.ledger.stream_began()
        self.transport.write(self.script.opening)
        self.loop.call_soon(self._next_chunk)

    def _next_chunk(self) -> None:
        """Send one chunk and plan the next, on a timetable, so that lateness does not add up."""
        behaviour = self.behaviour
        if behaviour is None or not self.writable or self.sent == behaviour.quiet_after:
            return
        if self.sent >= behaviour.chunks:
            self._answered()
            self.transport.write(self.script.closing)
            return
        self.transport.write(self.script.chunk % time.monotonic_ns())
        self.sent += 1
        if behaviour.delay_ms:
            due = self.began + self.sent * behaviour.delay_ms / 1e3
            self.loop.call_at(due, self._next_chunk)
        else:
            self.loop.call_soon(self._next_chunk)

    def _answered(self) -> None:
        if self.behaviour:
            self.ledger.streams -= 1
            self.behaviour = None
        if self.tag:
            self.ledger.open_tags.discard(self.tag)
            self.tag = None


async def start(port: int, ledger: Ledger) -> asyncio.Server:
    """Listen on 127.0.0.1 (port 0: any free one) and note in `ledger` what comes."""
    return await asyncio.get_running_loop().create_server(
        lambda: Connection(ledger), "127.0.0.1", port, backlog=min(BACKLOG, socket.SOMAXCONN)
    )


async def serve(port: int) -> None:
    await (await start(port, Ledger())).serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
