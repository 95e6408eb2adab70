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
        "buffered_bytes",
        "clean",
        "complete",
        "framed",
        "headers",
        "interim",
        "keep",
        "on_body",
        "parser",
        "pieces",
        "status",
        "whole",
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
        self.whole = 0  # how many of the pieces are this answer's, once it is complete
        self.keep = False  # the upstream lets the connection be used again
        self.pieces: list[bytes] = []  # always this list: the parser appends to it itself,
        self.on_body = self.pieces.append  # which spares a call of ours for each chunk
        self.buffered_bytes = self.barren_bytes = 0
        self.parser: Parser | None = httptools.HttpResponseParser(self)

    def header(self, name: bytes) -> bytes:
        """The value of a header, b"" where it is missing."""
        return next((value for key, value in self.headers if key == name), b"")

    def parse(self, data: bytes) -> bool:
        """Take in bytes of the connection; False when they are not HTTP."""
        parser, pieces = self.parser, self.pieces
        if parser is None:
            return True
        before = len(pieces)
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.clean = False
            if not self.complete:
                return False
        if self.complete:
            del pieces[self.whole :]  # the body of an answer that nobody asked for
            self.barren_bytes = 0
        elif len(pieces) == before:
            self.barren_bytes += len(data)
        else:
            self.barren_bytes = 0
            self.buffered_bytes += len(data)
        return True

    def taken(self) -> bytes:
        """All pieces of the body that have come, which are the reader's from now on."""
        pieces = self.pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self.whole -= len(pieces)
        pieces.clear()
        self.buffered_bytes = 0
        return data

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

    def on_message_complete(self) -> None:
        if self.interim:
            self.interim = False
        elif self.parser is not None and not self.complete:
            self.complete = True
            self.whole = len(self.pieces)
            self.keep = self.parser.should_keep_alive()  # afterwards the parser has forgotten
