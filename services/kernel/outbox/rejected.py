"""Events that analytics refused for good: kept for people to look at, within a bound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson


class RejectedFile:
    """`rejected.jsonl`: lines of `{"reason", "event"}`. When it is full it becomes
    `rejected.1.jsonl` in place of the one before, so that the newest stay."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._path = folder / "rejected.jsonl"
        self._older = folder / "rejected.1.jsonl"
        self._max_bytes = max_bytes // 2
        self.kept = sum(_lines(path) for path in (self._path, self._older))

    def append(self, rejected: Sequence[tuple[bytes, str]]) -> None:
        """Keeps (event, reason) pairs. Raises OSError where the disk refuses."""
        data = b"".join(
            b'{"reason":%b,"event":%b}\n' % (orjson.dumps(reason), line)
            for line, reason in rejected
        )
        self.adopt(data, len(rejected))

    def adopt(self, data: bytes, count: int) -> None:
        """Keeps lines that are written already."""
        if self._size() + len(data) > self._max_bytes and self._path.exists():
            self.kept -= _lines(self._older)
            self._path.replace(self._older)
        with self._path.open("ab") as file:
            file.write(data)
        self._path.chmod(0o600)
        self.kept += count

    def take_from(self, folder: Path) -> None:
        """Moves what another folder holds into this one."""
        for name in (self._older.name, self._path.name):
            path = folder / name
            if path.exists():
                data = path.read_bytes()
                self.adopt(data, data.count(b"\n"))
                path.unlink()

    def _size(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0
