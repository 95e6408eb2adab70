"""An answer as the parser fills it: head, pieces of the body, and whether more may follow."""

from __future__ import annotations

from typing import Protocol

import httptools

MAX_BARREN_BYTES = 64 * 1024  # of head, trailers or chunk extensions without a byte of body
MAX_HEADERS = 256


class Parser(Protocol):
    """The part of httptools' response parser that is used here (it ships no types)."""

    def feed_data(self, data: bytes) -> None: ...
    def get_status_code(self) -> int: ...
    def should_keep_alive(self) -> bool: ...


class Answer:
    """What has come of one answer. `status` is 0 until the head is there."""

    __slots__ = (
        "barren_bytes",
        "body_bytes",
        "buffered_bytes",
        "clean",
        "complete",
        "framed",
        "headers",
        "interim",
        "keep",
        "parser",
        "pieces",
        "status",
    )

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = False
        self.clean = True  # nothing came after the answer
        self.framed = False  # it has a length or is chunked: its end can be told
        self.interim = False
        self.keep = False  # the upstream lets the connection be used again
        self.pieces: list[bytes] = []
        self.buffered_bytes = self.body_bytes = self.barren_bytes = 0
        self.parser: Parser | None = httptools.HttpResponseParser(self)

    def header(self, name: bytes) -> bytes:
        """The value of a header, b"" where it is missing."""
        return next((value for key, value in self.headers if key == name), b"")

    def parse(self, data: bytes) -> bool:
        """Take in bytes of the connection; False when they are not HTTP."""
        parser, before = self.parser, self.body_bytes
        if parser is None:
            return True
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.clean = False
            return self.complete  # garbage after the end spoils the connection, not the answer
        if self.body_bytes != before or self.complete:
            self.barren_bytes = 0
        else:
            self.barren_bytes += len(data)
        return True

    @property
    def oversize(self) -> bool:
        """Whether a head or trailer has no end in sight."""
        return self.barren_bytes > MAX_BARREN_BYTES or len(self.headers) > MAX_HEADERS

    # -- called by the parser ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.complete:
            self.clean = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.status:
            return  # a trailer
        key = name.lower()
        if key in (b"content-length", b"transfer-encoding"):
            self.framed = True
        if len(self.headers) <= MAX_HEADERS:
            self.headers.append((key, value))

    def on_headers_complete(self) -> None:
        if self.complete or self.parser is None:
            return
        status = self.parser.get_status_code()
        if status < 200:  # 1xx: interim, the real head follows
            self.interim = True
            self.headers.clear()
        else:
            self.status = status

    def on_body(self, body: bytes) -> None:
        if self.complete:
            return
        self.pieces.append(body)
        self.buffered_bytes += len(body)
        self.body_bytes += len(body)

    def on_message_complete(self) -> None:
        if self.interim:
            self.interim = False
        elif self.parser is not None and not self.complete:
            self.complete = True
            self.keep = self.parser.should_keep_alive()  # afterwards the parser has forgotten
