"""Processes by their number: alive or not, whose child, ended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_ZOMBIE = "Z"


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not fetched by its parent does not."""
    fields = _status(pid)
    return bool(fields) and fields[0] != _ZOMBIE


def ancestors(pid: int) -> Iterator[int]:
    """A process, its parent, that one's parent, … but for the first of all."""
    while pid > 1:
        yield pid
        fields = _status(pid)
        pid = int(fields[1]) if fields else 0


def descends(pid: int, elders: set[int]) -> bool:
    """Whether a process is one of `elders` or a child, grandchild, … of one."""
    return not elders.isdisjoint(ancestors(pid))


def end(pids: Iterable[int], grace_seconds: float) -> None:
    """SIGTERM; SIGKILL for what is still there after the grace."""
    left = set(pids)
    send(left, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {pid for pid in left if is_alive(pid)}
    send(left, signal.SIGKILL)


def send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _status(pid: int) -> list[str]:
    """State, parent, … from /proc/PID/stat; empty when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()
