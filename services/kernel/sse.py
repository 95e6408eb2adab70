"""Server-sent events: bytes ↔ events, as WHATWG defines them and as vendors really send them.

Lines may end in CRLF, LF or CR and be split anywhere, inside a UTF-8 character too: bytes are
split into lines first and decoded afterwards (`str.splitlines` also splits at U+2028 in JSON).
https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

from dataclasses import dataclass

_BOM = b"\xef\xbb\xbf"
DEFAULT_MAX_EVENT_BYTES = 10 * 1024**2


class SseError(ValueError):
    """The bytes are no event stream that we are willing to read (a line or event is too long)."""


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One dispatched event. `data` is the data lines joined by LF; `comments` those before it."""

    data: bytes
    event: str = "message"
    id: str | None = None
    comments: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


class SseParser:
    """Feeds on any split of the bytes; answers the events that are complete."""

    def __init__(self, *, max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._pieces: list[bytes] = []  # of the line that is not yet complete
        self._pending_bytes = 0  # of that line and of the event that is being built
        self._after_cr = False
        self._first_line = True
        self._start_event()

    def _start_event(self) -> None:
        self._data: list[bytes] = []
        self._event = ""
        self._id: str | None = None
        self._comments: list[str] = []
        self._pending_bytes = 0

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """The events that `chunk` completes. Raises SseError when one grows beyond the limit."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk[1:] if chunk[:1] == b"\n" else chunk
        if b"\n" not in chunk and b"\r" not in chunk:
            self._hold(chunk)
            return []
        self._pieces.append(chunk)
        text = b"".join(self._pieces)
        self._pieces = []
        self._after_cr = text.endswith(b"\r")
        lines = text.splitlines(keepends=True)
        rest = b"" if lines[-1].endswith((b"\n", b"\r")) else lines.pop()
        events = [event for line in lines if (event := self._line(line.rstrip(b"\r\n")))]
        self._hold(rest)
        return events

    def close(self) -> bool:
        """Ends the stream. True when bytes were left over: an event without its blank line."""
        left_over = bool(self._pieces or self._data)
        self._pieces = []
        self._start_event()
        return left_over

    def _hold(self, rest: bytes) -> None:
        if rest:
            self._pieces.append(rest)
            self._count(len(rest))

    def _count(self, size: int) -> None:
        self._pending_bytes += size
        if self._pending_bytes > self._max_event_bytes:
            raise SseError(f"an event is longer than {self._max_event_bytes} bytes")

    def _line(self, line: bytes) -> SseEvent | None:
        if self._first_line:
            self._first_line = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        self._count(len(line))
        name, _, value = line.partition(b":")
        self._field(name, value.removeprefix(b" "))
        return None

    def _field(self, name: bytes, value: bytes) -> None:
        if name == b"data":
            self._data.append(value)
        elif name == b"":
            self._comments.append(value.decode("utf-8", "replace"))
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")

    def _dispatch(self) -> SseEvent | None:
        event = None
        if self._data:
            data, name = b"\n".join(self._data), self._event or "message"
            event = SseEvent(data, name, self._id, tuple(self._comments))
        self._start_event()
        return event


def encode_event(data: bytes | str, *, event: str | None = None, id: str | None = None) -> bytes:
    """One event as bytes; data of several lines becomes several data fields."""
    raw = data.encode() if isinstance(data, str) else data
    head = (f"id: {id}\n" if id else "") + (f"event: {event}\n" if event else "")
    lines = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return head.encode() + b"".join(b"data: " + line + b"\n" for line in lines) + b"\n"


def encode_comment(text: str) -> bytes:
    """A comment, which clients skip: a heartbeat."""
    return b": " + text.replace("\n", " ").encode() + b"\n\n"
