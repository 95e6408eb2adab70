"""The smallest relay that Python can make of uvicorn and httptools.

    python -m bench.relay PORT UPSTREAM_PORT

It knows nobody, limits nothing, counts nothing: the floor under what a gateway costs here.
"""

import asyncio
import sys
from collections import deque
from typing import Any, cast

import httptools
import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

START = "http.response.start"
BODY = "http.response.body"
KEPT_HEADERS = (b"content-type", b"content-length")


class Upstream(asyncio.Protocol):
    """One kept connection; each read of the socket wakes its reader once."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.alive = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.alive = False
        self.news.set()

    def ask(self, request: bytes) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.status, self.complete, self.pieces = 0, False, list[bytes]()
        self.headers: list[tuple[bytes, bytes]] = []
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)
        self.news.set()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() in KEPT_HEADERS:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.status = self.parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self.pieces.append(body)

    def on_message_complete(self) -> None:
        self.complete = True

    async def wait(self) -> bytes:
        """What has come since the last call."""
        if not self.pieces and not self.complete:
            self.news.clear()
            await self.news.wait()
            if not self.alive and not self.complete:
                raise ConnectionResetError
        content = b"".join(self.pieces)
        self.pieces.clear()
        return content


class Relay:
    """The ASGI application."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.free: deque[Upstream] = deque()

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = cast(dict[str, Any], await receive())
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        upstream = await self._connection()
        upstream.ask(self._head(scope["path"], len(body)) + body)
        watcher = asyncio.create_task(self._watch(receive, upstream))
        try:
            await self._relay(upstream, send)
        except ConnectionResetError:
            return
        finally:
            watcher.cancel()

    async def _watch(self, receive: ASGIReceiveCallable, upstream: Upstream) -> None:
        """The caller's leaving breaks the upstream connection, which ends the relaying."""
        while (await receive())["type"] != "http.disconnect":
            pass
        upstream.transport.abort()

    def _head(self, path: str, length: int) -> bytes:
        return (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\n"
            f"content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        ).encode()

    async def _connection(self) -> Upstream:
        while self.free:
            if (kept := self.free.pop()).alive:
                return kept
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(Upstream, "127.0.0.1", self.port))[1]

    async def _relay(self, upstream: Upstream, send: ASGISendCallable) -> None:
        content = await upstream.wait()
        await send(
            cast(Any, {"type": START, "status": upstream.status, "headers": upstream.headers})
        )
        while not upstream.complete:
            if content:
                await send(cast(Any, {"type": BODY, "body": content, "more_body": True}))
            content = await upstream.wait()
        self.free.append(upstream)
        await send(cast(Any, {"type": BODY, "body": content, "more_body": False}))


def main(port: int, upstream_port: int) -> None:
    uvicorn.run(
        Relay(upstream_port),
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
        backlog=4096,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
