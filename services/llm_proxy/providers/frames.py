"""Whole events out of a stream of bytes, without looking into them.

Only whole events are passed on: an error can then be told between two of them, and an event that
is to be left out is never half sent. What is held back is a part of one event, which no client
could have used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from services.kernel.sse import SseEvent, SseParser

MAX_EVENT_BYTES = 8 * 1024**2
_TAIL_BYTES = 2048
_TRIM_BYTES = 2 * _TAIL_BYTES  # then the tail is cut: not at each event
_NUMBER = re.compile(rb"(?<![^\r\n])(?:id|retry)(?::[^\r\n]*)?(?:\r\n|\n|\r)")
_BLANK_LINES = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2,}")


class Frames:
    """Cuts at the last blank line (LF, CRLF or CR); keeps the latest events for a last look."""

    __slots__ = ("_held", "_held_bytes", "_seam", "_tail", "_tail_bytes")

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._seam = b""  # the last bytes held: a blank line may begin in them
        self._tail: list[bytes] = []
        self._tail_bytes = 0

    @property
    def oversize(self) -> bool:
        """Whether one event is longer than anybody may send."""
        return self._held_bytes > MAX_EVENT_BYTES

    @property
    def held(self) -> bool:
        """Whether a part of an event is waiting for its rest."""
        return self._held_bytes > 0

    def cut(self, data: bytes) -> bytes:
        """The events that `data` completes, as they came; b"" where it completes none."""
        if self._held_bytes:
            end = last_boundary(self._seam + data)
            if not end:
                return self._hold(data)
            data = b"".join((*self._held, data))
            self._held, self._held_bytes, self._seam = [], 0, b""
        elif data.endswith(b"\n\n"):
            return self._keep(data)
        end = last_boundary(data)
        if end != len(data):
            self._hold(data[end:])
        return self._keep(data[:end]) if end else b""

    def shown(self, events: bytes) -> bytes:
        """Whole events as the caller is to see them."""
        return events

    def rest(self) -> bytes:
        """What is held back, given up."""
        held, self._held, self._held_bytes, self._seam = self._held, [], 0, b""
        return b"".join(held)

    def tail(self) -> bytes:
        """The latest events."""
        return b"".join(self._tail)

    def _hold(self, data: bytes) -> bytes:
        if self._held and len(self._held[-1]) < 4096:  # many tiny pieces: join some, not all
            self._held[-1] += data
        else:
            self._held.append(data)
        self._held_bytes += len(data)
        self._seam = (self._seam + data)[-3:]
        return b""

    def _keep(self, events: bytes) -> bytes:
        self._tail.append(events)
        self._tail_bytes += len(events)
        if self._tail_bytes > _TRIM_BYTES:
            self._trim()
        return events

    def _trim(self) -> None:
        """Forget the oldest, down to at least `_TAIL_BYTES`."""
        tail, size, first = self._tail, self._tail_bytes, 0
        while size - len(tail[first]) >= _TAIL_BYTES:
            size -= len(tail[first])
            first += 1
        del tail[:first]
        self._tail_bytes = size


class Unnumbered(Frames):
    """The same for a stream whose events have `id:` or `retry:` lines: it is shown without them.

    After such a line openai-python (3.54) takes a comment, which a heartbeat is, for an event
    without data, and fails on it.
    """

    __slots__ = ()

    @classmethod
    def going_on(cls, frames: Frames) -> Unnumbered:
        """In the place of `frames`, with what these hold."""
        found = cls()
        for name in Frames.__slots__:
            setattr(found, name, getattr(frames, name))
        return found

    def cut(self, data: bytes) -> bytes:
        return self.shown(super().cut(data))

    def shown(self, events: bytes) -> bytes:
        return _NUMBER.sub(b"", events)


def is_numbered(events: bytes) -> bool:
    """Whether there is an `id:` or `retry:` line."""
    return (b"id:" in events or b"retry:" in events) and _NUMBER.search(events) is not None


def last_boundary(data: bytes) -> int:
    """Where the last event ends: behind its blank line; 0 where there is none.

    A CR at the very end may be the first half of CRLF, so it ends a blank line only behind a CR.
    """
    end = max(data.rfind(b"\n\n"), data.rfind(b"\r\r"), data.rfind(b"\n\r", 0, -1))
    if end < 0:
        return 0
    end += 2
    return end + 1 if data[end - 1 : end + 1] == b"\r\n" else end


def spans(events: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each event in whole events, blank lines included; found as asked for."""
    if b"\r" in events:
        yield from _spans_of_any_lines(events)
        return
    start = 0
    while (end := events.find(b"\n\n", start)) >= 0:
        end += 2
        while events.startswith(b"\n", end):
            end += 1
        yield start, end
        start = end


def _spans_of_any_lines(events: bytes) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _BLANK_LINES.finditer(events):
        yield start, match.end()
        start = match.end()


def read_events(events: bytes) -> list[SseEvent]:
    """The events in whole events. Nearly all are one plain `data:` line, which needs no parser."""
    data = events.removesuffix(b"\n\n")
    if data.startswith(b"data:") and b"\n" not in data and b"\r" not in data:
        return [SseEvent(data[5:].removeprefix(b" "))]
    return SseParser().feed(events)


def data_backwards(events: bytes) -> Iterator[bytes]:
    """The data of whole events, the last one first; what is not asked for is not parsed."""
    if b"\r" in events:
        yield from (event.data for event in reversed(SseParser().feed(events)))
        return
    for raw in reversed(events.split(b"\n\n")):
        if raw.startswith(b"data:") and b"\n" not in raw:
            yield raw[5:]
        elif raw:
            yield from (event.data for event in SseParser().feed(raw + b"\n\n"))
