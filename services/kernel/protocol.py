"""uvicorn's HTTP protocol, forgiving and strict where the contract asks for it.

`curl "…?q=如何备份"` sends the query as raw UTF-8, as browsers' address bars once did. The parser
(llhttp) refuses bytes above 0x7f in a request line, so they are percent-encoded before it sees
them; RFC 3986, 2.1 says how. What is no HTTP at all gets the contract's error body.

The head of an answer goes out with the first piece of its body, as ASGI wants it, in one system
call instead of two: https://asgi.readthedocs.io/en/latest/specs/www.html#response-start-send-event
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from services.kernel.context import new_request_id
from services.kernel.errors import InvalidRequest
from services.kernel.rendering import error_body

PUSH = "trivet.push"
PRESENCE = "trivet.presence"
Push = Callable[[bytes], bool]
MAX_HEAD_BYTES = 64 * 1024  # as much as nginx lets through; the parser itself has no bound
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")


class Presence:
    """Whether a caller is still there; lies in the scope, one for each connection.

    ASGI tells of a disconnect only to somebody who waits on `receive`, which takes a task.
    """

    __slots__ = ("_on_leaving", "gone")

    def __init__(self) -> None:
        self.gone = False
        self._on_leaving: set[Callable[[], None]] = set()

    def watch(self, on_leaving: Callable[[], None]) -> None:
        """Has `on_leaving` called once the caller leaves; at once where they have left."""
        self._on_leaving.add(on_leaving)
        if self.gone:
            on_leaving()

    def forget(self, on_leaving: Callable[[], None]) -> None:
        """It is not called any more."""
        self._on_leaving.discard(on_leaving)

    def end(self) -> None:
        """The caller is gone."""
        self.gone = True
        for on_leaving in tuple(self._on_leaving):
            on_leaving()


class _Answer:
    """Stands before the transport of one answer until its head has gone out.

    `push` lies in the scope: it writes a piece of a body that has begun, if the caller can take it
    at once. A relay writes many thousand; ASGI's `send` costs several times as much for each.
    """

    __slots__ = ("_cycle", "_ended", "_head", "_transport")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self._transport = cycle.transport
        self._head = b""
        self._ended = cycle.on_response
        cycle.transport = cast(Any, self)
        cycle.on_response = self.end
        cast(Any, cycle.scope)[PUSH] = self.push

    def write(self, data: bytes) -> None:
        if self._cycle.response_started and not self._head:
            self._head = data  # uvicorn writes a head first and by itself
        elif self._head:
            self.release(data)
        else:
            self._transport.write(data)  # "100 Continue"

    def release(self, data: bytes = b"") -> None:
        """Sends what is held, and steps aside."""
        self._cycle.transport = self._transport
        self._transport.write(self._head + data)

    def push(self, data: bytes) -> bool:
        """Writes `data`; False, and nothing done, where only `send` knows what to do."""
        cycle = self._cycle
        if cycle.flow.write_paused or cycle.disconnected or cycle.response_complete:
            return False
        if not cycle.chunked_encoding or cycle.transport is not self._transport:
            return False
        self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        return True

    def end(self) -> None:
        """The answer is whole; one to HEAD has no body."""
        held: Any = self._cycle.transport
        if held is self and self._head:
            self.release()
        self._ended()

    def close(self) -> None:
        if self._head:
            self.release()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._presence = Presence()
        self._in_message = False
        self._head_bytes: int | None = None  # of an open head, but for its first piece

    def data_received(self, data: bytes) -> None:
        if not self._in_message and not data.isascii():
            line, end, rest = data.partition(b"\r\n")
            data = _HIGH_BYTE.sub(lambda byte: b"%%%02X" % byte[0][0], line) + end + rest
        goes_on = self._head_bytes is not None  # what a head begins with may follow another's body
        super().data_received(data)
        if goes_on and self._head_bytes is not None:
            self._bound_head(len(data))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._presence.end()

    def _bound_head(self, more_bytes: int) -> None:
        self._head_bytes = (self._head_bytes or 0) + more_bytes
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("")

    def on_message_begin(self) -> None:
        self._in_message = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_bytes = None
        super().on_headers_complete()
        cast(Any, self.scope)[PRESENCE] = self._presence
        _Answer(self.cycle)  # its task has not begun

    def on_message_complete(self) -> None:
        self._in_message = False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        request_id = new_request_id()
        body = error_body(InvalidRequest("This is no valid HTTP request."), request_id)
        head = (
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nx-request-id: {request_id}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()
