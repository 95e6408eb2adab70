"""uvicorn's HTTP protocol, forgiving and strict where the contract asks for it.

`curl "…?q=如何备份"` sends the query as raw UTF-8, as browsers' address bars once did. The parser
(llhttp) refuses bytes above 0x7f in a request line, so they are percent-encoded before it sees
them; RFC 3986, 2.1 says how. What is no HTTP at all gets the contract's error body.
"""

from __future__ import annotations

import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.kernel.context import new_request_id
from services.kernel.errors import InvalidRequest
from services.kernel.rendering import error_body

_HIGH_BYTE = re.compile(rb"[\x80-\xff]")


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_message = False

    def data_received(self, data: bytes) -> None:
        if not self._in_message and not data.isascii():
            line, end, rest = data.partition(b"\r\n")
            data = _HIGH_BYTE.sub(lambda byte: b"%%%02X" % byte[0][0], line) + end + rest
        super().data_received(data)

    def on_message_begin(self) -> None:
        self._in_message = True
        super().on_message_begin()

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
