"""The vendor's end of one connection: requests parsed, answers written byte by byte as asked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import httptools
import orjson

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}


@dataclass
class SeenRequest:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes
    connection: int

    @property
    def body(self) -> dict[str, Any]:
        return cast("dict[str, Any]", orjson.loads(self.raw))


@dataclass
class Answer:
    """Writes one answer; each method waits until the bytes have left the buffer's high water."""

    transport: asyncio.Transport
    can_write: asyncio.Event
    times_used: int = 1  # how many requests have come over this connection
    chunked: bool = field(default=False, init=False)

    async def raw(self, data: bytes) -> None:
        await self.can_write.wait()
        self.transport.write(data)

    async def whole(
        self,
        body: bytes,
        *,
        status: int = 200,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> None:
        extra = {"content-type": content_type, "content-length": str(len(body)), **(headers or {})}
        await self.raw(_head(status, extra) + body)

    async def begin(
        self, content_type: str = "text/event-stream", *, headers: dict[str, str] | None = None
    ) -> None:
        extra = {"content-type": content_type, "transfer-encoding": "chunked", **(headers or {})}
        self.chunked = True
        await self.raw(_head(200, extra))

    async def chunk(self, data: bytes) -> None:
        await self.raw(b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    async def end(self) -> None:
        await self.raw(b"0\r\n\r\n")

    def cut(self) -> None:
        """Reset the connection."""
        self.transport.abort()

    def close(self) -> None:
        """Close the connection in order."""
        self.transport.close()


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


Respond = Callable[[SeenRequest, Answer], Awaitable[None]]


class VendorConnection(asyncio.Protocol):
    """One client's connection. Its answer is cancelled as soon as the client is gone."""

    def __init__(
        self, number: int, respond: Respond, on_closed: Callable[[VendorConnection], None]
    ) -> None:
        self._number = number
        self._times_used = 0
        self._respond = respond
        self._on_closed = on_closed
        self._task: asyncio.Task[None] | None = None
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._start_message()

    def _start_message(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def abort(self) -> None:
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._can_write.set()
        if self._task is not None:
            self._task.cancel()
        self._on_closed(self)

    def pause_writing(self) -> None:
        self._can_write.clear()

    def resume_writing(self) -> None:
        self._can_write.set()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode()
        seen = SeenRequest(
            method, self._url.decode(), self._headers, bytes(self._body), self._number
        )
        self._start_message()
        self._times_used += 1
        self._task = asyncio.get_running_loop().create_task(self._answer(seen))

    async def _answer(self, seen: SeenRequest) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await self._respond(seen, Answer(self._transport, self._can_write, self._times_used))
