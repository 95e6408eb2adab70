"""Processes of this checkout that outlived their supervisor and still hold a port.

A killed PM2 daemon or nginx master leaves them behind; what starts next would find its port taken.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from scripts.stack import ports

_GRACE_SECONDS = 5.0


def end_orphans(numbers: set[int], keepers: Iterable[int]) -> int:
    """Ends what holds one of the ports, is ours, and descends from none of `keepers`; how many."""
    kept = set(keepers)
    found = {
        holder.pid
        for there in ports.holders(numbers).values()
        for holder in there
        if holder.is_ours and not _descends(holder.pid, kept)
    }
    end(found)
    return len(found)


def end(pids: Iterable[int]) -> None:
    """SIGTERM, a few seconds, SIGKILL."""
    left = set(pids)
    _signal(left, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    while left and time.monotonic() < deadline:
        left = {pid for pid in left if Path(f"/proc/{pid}").exists()}
        time.sleep(0.05)
    _signal(left, signal.SIGKILL)


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _descends(pid: int, keepers: set[int]) -> bool:
    while pid > 1:
        if pid in keepers:
            return True
        pid = _parent(pid)
    return False


def _parent(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return int(status.rpartition(")")[2].split()[1])
