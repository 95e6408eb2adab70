"""What a key has used of its minute's limits just now, for people; the counting is elsewhere."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

from services.kernel.errors import Overloaded
from services.llm_proxy.limits.record import REQUESTS, TICK_SECONDS, TOKENS
from services.llm_proxy.limits.table import Table

_RETRY_SECONDS = 0.002
_PATIENCE_SECONDS = 1.0


class Used(NamedTuple):
    """In the last minute, and at this moment; over all instances."""

    requests: int
    tokens: int
    running: int


async def used_now(table: Table, subject: str) -> Used:
    """Raises Overloaded when the counts cannot be reached in time."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not table.try_lock():  # a check holds it for some microseconds
        if time.monotonic() > deadline:
            raise Overloaded("The limits cannot be read just now.", retry_after_seconds=1)
        await asyncio.sleep(_RETRY_SECONDS)
    try:
        record = table.record(subject, int(time.time() // TICK_SECONDS), key=True)
        running = record.running(table.generations())
        return Used(record.used(REQUESTS), record.used(TOKENS), running)
    finally:
        table.unlock()
