"""The driver's side of HTTP: one kept connection that asks and reads whole answers.

Callbacks alone, no task and no future for each call: the driver shares its core with the
upstream, and what it burns would be taken for the contender's slowness.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import httptools
import orjson

STAMP = re.compile(rb"@(\d{20});")
LAST_EVENT = b"data: [DONE]"
MESSAGES = [
    {"role": "system", "content": "You are a helpful assistant of a small company's website."},
    {"role": "user", "content": "Tell me at some length how one makes a backup. " * 8},
]


@dataclass(slots=True)
class Exchange:
    """One call and what came back; times in ns of the monotonic clock, 0 where nothing came."""

    began_ns: int
    status: int = 0
    first_ns: int = 0  # when the first content chunk was here
    ended_ns: int = 0
    body_bytes: int = 0
    delays_ns: list[int] = field(default_factory=list)  # of each chunk, from sent to read
    reads: int = 0  # reads of the socket that held content
    in_order: bool = True
    finished: bool = False  # the last event of a stream was seen
    complete: bool = False  # the HTTP message is whole
    fault: str = ""

    def is_whole(self, chunks: int | None) -> bool:
        """Every chunk once, in order, up to the end; `chunks` None: a JSON answer."""
        if self.status != 200 or not self.complete or self.fault:
            return False
        if chunks is None:
            return self.body_bytes > 0
        return self.finished and self.in_order and len(self.delays_ns) == chunks


@dataclass(frozen=True)
class Target:
    """Where calls go and what they carry."""

    url: str
    headers: Mapping[str, str]

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", parts.port or 80

    def request(self, model: str, *, stream: bool, user: str | None = None) -> bytes:
        """The bytes of one chat completion call."""
        content = {"model": model, "stream": stream, "messages": MESSAGES}
        if user is not None:
            content["user"] = user
        body = orjson.dumps(content)
        host, port = self.address
        lines = [f"POST {urlsplit(self.url).path} HTTP/1.1", f"host: {host}:{port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    async def connect(self, ended: Callable[["Connection", Exchange], None]) -> "Connection":
        """Open a connection that reports each ended exchange.

        Raises:
            OSError: nobody listens there.
        """
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: Connection(ended), *self.address)
        return connection


class Connection(asyncio.Protocol):
    """A kept HTTP/1.1 connection, one exchange at a time."""

    transport: asyncio.Transport

    def __init__(self, ended: Callable[["Connection", Exchange], None]) -> None:
        self.ended = ended
        self.exchange: Exchange | None = None
        self.is_open = False
        self.pieces: list[bytes] = []
        self.rest = b""  # the begun line of an event
        self.last_stamp = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self._end("connection lost")

    def ask(self, request: bytes) -> Exchange:
        """Send a request; `ended` is called when its answer is whole or broken."""
        self.parser = httptools.HttpResponseParser(self)
        self.rest = self.last_stamp = b""
        self.exchange = exchange = Exchange(time.monotonic_ns())
        self.transport.write(request)
        return exchange

    def leave(self) -> None:
        """Go away in the middle, as a closed browser tab does."""
        self.exchange = None
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        if self.exchange is None:
            return
        exchange = self.exchange
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._end("not HTTP")
            self.transport.abort()
            return
        if self.pieces:
            self._read(exchange, b"".join(self.pieces), now)
            self.pieces.clear()
        if exchange.complete:
            exchange.ended_ns = now
            self._end("")

    def _read(self, exchange: Exchange, content: bytes, now: int) -> None:
        """Count what has come; a line may be split between two reads."""
        exchange.body_bytes += len(content)
        text = self.rest + content if self.rest else content
        end = text.rfind(b"\n") + 1
        self.rest = text[end:]
        stamps = STAMP.findall(text, 0, end)
        if stamps:
            exchange.reads += 1
            exchange.first_ns = exchange.first_ns or now
            exchange.delays_ns += [now - int(stamp) for stamp in stamps]
            if stamps[0] <= self.last_stamp or (len(stamps) > 1 and stamps != sorted(set(stamps))):
                exchange.in_order = False
            self.last_stamp = stamps[-1]
        if text.find(LAST_EVENT, 0, end) >= 0:
            exchange.finished = True

    # What httptools calls.
    def on_body(self, body: bytes) -> None:
        self.pieces.append(body)

    def on_message_complete(self) -> None:
        if self.exchange is not None:
            self.exchange.complete = True
            self.exchange.status = self.parser.get_status_code()
        self.is_open = self.parser.should_keep_alive()

    def _end(self, fault: str) -> None:
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            exchange.fault = fault
            self.ended(self, exchange)


async def upstream_stats(port: int) -> dict[str, Any]:
    """What the upstream on `port` saw until now (see `bench.upstream.Ledger`)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET /stats HTTP/1.1\r\nhost: upstream\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split()[0])
        stats: dict[str, Any] = orjson.loads(await reader.readexactly(length))
        return stats
    finally:
        writer.close()
        await writer.wait_closed()
