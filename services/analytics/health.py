"""Whether events can be taken in and read."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from services.analytics.journal_models import Batch, Cleanup
from services.analytics.models import table
from services.analytics.retention import database_bytes
from services.analytics.schemas import HealthAnswer
from services.analytics.state import State
from services.kernel.errors import Overloaded
from services.kernel.health import Check

_LAG_MAX_SECONDS = 10.0
_batch = table(Batch)
_cleanup = table(Cleanup)


async def health(state: State) -> HealthAnswer:
    """Anyone may ask, so the answer costs the same however many rows there are."""
    rows = await state.read(_count_rows)
    lag_seconds = state.writer.lag_seconds()
    writes = state.writer.alive and lag_seconds < _LAG_MAX_SECONDS
    return HealthAnswer(
        status="ok" if writes else "degraded",
        rows=rows,
        size_bytes=database_bytes(state.settings.database_path),
        waiting_events=state.writer.waiting_events,
        writer_lag_seconds=round(lag_seconds, 3),
    )


def _count_rows(connection: Connection) -> int:
    """All that were ever inserted, which each transaction notes, less those cleaned up: counting
    ten million rows would take too long."""
    newest = select(_batch.c.events).order_by(_batch.c.seq.desc()).limit(1)
    inserted = connection.scalar(newest) or 0
    deleted = connection.scalar(select(func.coalesce(func.sum(_cleanup.c.deleted), 0))) or 0
    return int(inserted) - int(deleted)


async def readiness(state: State) -> dict[str, Check]:
    """The checks of `/readyz`."""
    lag_seconds = state.writer.lag_seconds()
    if not state.writer.alive:
        writer = Check(False, "the writer has stopped")
    else:
        detail = f"{state.writer.waiting_events} events wait, for {lag_seconds:.1f} s at most"
        writer = Check(lag_seconds < _LAG_MAX_SECONDS, detail)
    return {"database": await _database(state), "writer": writer}


async def _database(state: State) -> Check:
    try:
        rows = await state.read(_count_rows)
    except Overloaded:
        return Check(False, "it cannot be read now")
    return Check(True, f"{rows} records")
