"""Events on disk: numbered segments of JSON lines, appended at one end, delivered at the other.

Durability. What `append` has written survives the death of this process at any moment, since the
pages are the kernel's then. `sync` (called about once a second while something waits) makes it
survive a power cut, too; so a power cut costs at most about a second of events. There is no fsync
per event. A segment is removed as soon as all of it is delivered: questions lie here unredacted.
A process never appends to a predecessor's segment, so that a line torn by kill -9 can only stand
at a segment's end; it is skipped and counted.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import orjson

_CURSOR = "cursor.json"
_DRAFT = ".draft"
_SUFFIX = ".jsonl"


@dataclass(slots=True)
class _Segment:
    number: int
    path: Path
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Whole lines from one segment, without newlines; `torn` lines between them were no JSON."""

    lines: list[bytes]
    torn: int
    segment: int
    end: int


class Journal:
    """All segments of one folder. Safe for one appending and one reading thread.

    Methods raise OSError where the disk refuses.
    """

    def __init__(self, folder: Path, segment_max_bytes: int) -> None:
        self._folder = folder
        self._segment_max_bytes = segment_max_bytes
        self._lock = threading.Lock()
        self._segments = deque(_found(folder))
        self._descriptor: int | None = None  # of the last segment, while it is appended to
        self._dirty = False
        self._offset = 0
        self.size_bytes = sum(segment.size_bytes for segment in self._segments)
        number, offset = _read_cursor(folder / _CURSOR)
        self._next_number = max([number, *(segment.number for segment in self._segments)]) + 1
        if self._segments and self._segments[0].number == number:
            self._offset = min(offset, self._segments[0].size_bytes)

    @property
    def waiting_bytes(self) -> int:
        """Bytes that are not delivered yet."""
        return self.size_bytes - self._offset

    def append(self, data: bytes) -> None:
        """Writes whole lines. On an OSError none of them counts as written."""
        with self._lock:
            descriptor = self._writable()
            segment = self._segments[-1]
            try:
                _write_all(descriptor, data)
            except OSError:
                self._cut_back(descriptor, segment.size_bytes)
                raise
            segment.size_bytes += len(data)
            self.size_bytes += len(data)
            self._dirty = True

    def _writable(self) -> int:
        if self._descriptor is not None:
            if self._segments[-1].size_bytes < self._segment_max_bytes:
                return self._descriptor
            self._close_active()
        path = self._folder / f"{self._next_number:012d}{_SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        self._segments.append(_Segment(self._next_number, path, 0))
        self._next_number += 1
        self._descriptor = descriptor
        return descriptor

    def _cut_back(self, descriptor: int, size_bytes: int) -> None:
        """Takes away what a failed write left; the next append begins a new segment."""
        self._descriptor = None
        try:
            os.ftruncate(descriptor, size_bytes)
        finally:
            os.close(descriptor)

    def _close_active(self) -> None:
        if self._descriptor is None:
            return
        if self._dirty:
            os.fdatasync(self._descriptor)
            self._dirty = False
        os.close(self._descriptor)
        self._descriptor = None

    def sync(self) -> None:
        """Makes what was appended survive a power cut."""
        with self._lock:
            if self._descriptor is not None and self._dirty:
                os.fdatasync(self._descriptor)
                self._dirty = False

    def read(self, max_events: int, max_bytes: int) -> Batch | None:
        """The next lines to deliver, from the oldest segment; None when nothing waits.

        Reads the same again until `commit`.
        """
        with self._lock:
            while self._segments and self._offset >= self._segments[0].size_bytes:
                self._remove_first()
            if not self._segments:
                return None
            segment = self._segments[0]
            chunk = _read_at(segment.path, self._offset, segment.size_bytes, max_bytes)
            end, whole = _whole_lines(chunk, max_events)
            lines = [line for line in whole if _is_object(line)]
            torn = len(whole) - len(lines) + (end == 0)
            return Batch(lines, torn, segment.number, self._offset + (end or len(chunk)))

    def commit(self, batch: Batch) -> None:
        """Marks a batch as delivered."""
        with self._lock:
            self._offset = batch.end
            if self._offset >= self._segments[0].size_bytes:
                self._remove_first()
            else:
                _write_cursor(self._folder / _CURSOR, batch.segment, batch.end)

    def _remove_first(self) -> None:
        segment = self._segments.popleft()
        if not self._segments and self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self._dirty = False
        self._offset = 0
        self.size_bytes -= segment.size_bytes
        segment.path.unlink(missing_ok=True)

    def adopt(self, folder: Path, room_bytes: int) -> int:
        """Takes over the segments of another folder, as far as there is room; returns how many.

        What was delivered of them in part is delivered again: analytics knows each event by its id.
        """
        adopted = 0
        with self._lock:
            self._close_active()
            for found in _found(folder):
                if found.size_bytes > room_bytes:
                    break
                room_bytes -= found.size_bytes
                path = self._folder / f"{self._next_number:012d}{_SUFFIX}"
                found.path.rename(path)
                self._segments.append(_Segment(self._next_number, path, found.size_bytes))
                self._next_number += 1
                self.size_bytes += found.size_bytes
                adopted += 1
            (folder / _CURSOR).unlink(missing_ok=True)
            (folder / _CURSOR).with_suffix(_DRAFT).unlink(missing_ok=True)
        return adopted

    def close(self) -> None:
        """Syncs and closes; the segments stay."""
        with self._lock:
            self._close_active()


def _found(folder: Path) -> list[_Segment]:
    paths = sorted(path for path in folder.glob(f"*{_SUFFIX}") if path.stem.isdigit())
    return [_Segment(int(path.stem), path, path.stat().st_size) for path in paths]


def _read_cursor(path: Path) -> tuple[int, int]:
    """(segment, offset); a lost or torn cursor only means that some events are sent again."""
    try:
        cursor = orjson.loads(path.read_bytes())
        return int(cursor["segment"]), int(cursor["offset"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0, 0


def _write_cursor(path: Path, segment: int, offset: int) -> None:
    draft = path.with_suffix(_DRAFT)
    draft.write_bytes(orjson.dumps({"segment": segment, "offset": offset}))
    draft.replace(path)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _read_at(path: Path, offset: int, size_bytes: int, max_bytes: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(min(max_bytes, size_bytes - offset))


def _whole_lines(chunk: bytes, max_events: int) -> tuple[int, list[bytes]]:
    """(bytes they take with their newlines, the lines); (0, []) when no line is whole."""
    pieces = chunk.split(b"\n", max_events)
    lines = pieces[:-1]
    return sum(map(len, lines)) + len(lines), lines


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False
