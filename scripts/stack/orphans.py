"""Processes of this checkout that outlived their supervisor and still hold a port.

A killed PM2 daemon or nginx master leaves them behind; what starts next would find its port taken.
"""

from __future__ import annotations

from collections.abc import Iterable

from scripts.stack import pids, ports

_GRACE_SECONDS = 5.0


def end_orphans(numbers: set[int], keepers: Iterable[int]) -> int:
    """Ends what holds one of the ports, is ours, and descends from none of `keepers`; how many."""
    kept = set(keepers)
    found = {
        holder.pid
        for there in ports.holders(numbers).values()
        for holder in there
        if holder.is_ours and not pids.descends(holder.pid, kept)
    }
    pids.end(found, _GRACE_SECONDS)
    return len(found)
