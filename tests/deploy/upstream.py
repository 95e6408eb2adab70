"""A stand-in for a service behind nginx: says what reached it, and streams when it is told to."""

import asyncio
import json
import threading
from typing import Any

from starlette.types import Message, Receive, Scope, Send


class Upstream:
    """One ASGI application. The path decides what it does; the last request is kept to look at."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.gate = threading.Event()  # a stream's second piece waits for it
        self.arrived = threading.Event()
        self.left = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["path"].endswith("/stream") or scope["path"] == "/v1/chat/completions":
            await self._stream(receive, send)
        else:
            await self._describe(scope, receive, send)

    async def _describe(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        described = {
            "service": self.name,
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode(),
            "headers": {k.decode().lower(): v.decode() for k, v in scope["headers"]},
            "body_bytes": len(body),
        }
        status = int(dict(scope["headers"]).get(b"x-wanted-status", b"200"))
        headers = [
            (b"content-type", b"application/json"),
            (b"x-request-id", b"of-the-service"),
            (b"x-content-type-options", b"nosniff"),
            *([(b"retry-after", b"7")] if status != 200 else []),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(described).encode()})

    async def _stream(self, receive: Receive, send: Send) -> None:
        await _body(receive)
        self.arrived.set()
        leaving = asyncio.create_task(self._notice_leaving(receive))
        try:
            headers = [(b"content-type", b"text/event-stream")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send(_piece(b"data: first\n\n"))
            while not self.gate.is_set() and not leaving.done():
                await asyncio.wait({leaving}, timeout=0.005)
            await send(_piece(b"data: second\n\n"))
            await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})
        finally:
            leaving.cancel()

    async def _notice_leaving(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()


def _piece(body: bytes) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": True}


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message: dict[str, Any] = dict(await receive())
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
