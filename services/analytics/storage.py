"""What one transaction does with new events: tell them from known ones, insert, count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, insert, select

from services.analytics.intake import Record
from services.analytics.labels import LabelNumbers
from services.analytics.models import Cleanup, Event, table
from services.analytics.rollups import add_to_rollups, add_to_sessions

_event = table(Event)
_cleanup = table(Cleanup)
_CHUNK = 500  # of ids in one statement
LABEL_COLUMNS = (
    "service",
    "provider",
    "model",
    "requested_model",
    "assistant",
    "error_type",
    "end_reason",
    "finish_reason",
    "usage_source",
    "collection",
    "mode",
    "cause",
)


@dataclass(frozen=True)
class Stored:
    """What became of a batch; `too_old` are the places of records that a cleanup would have taken
    already, and that can therefore not be told from ones that were counted before."""

    accepted: int = 0
    duplicates: int = 0
    too_old: list[int] = field(default_factory=list)


class EventStore:
    """For one writer: remembers the numbers of labels."""

    def __init__(self) -> None:
        self._labels = LabelNumbers()

    def add(self, connection: Connection, batches: Sequence[Sequence[Record]]) -> list[Stored]:
        """Stores batches in one write transaction; an id counts once, whoever sends it."""
        known = _known_ids(connection, [r["id"] for batch in batches for r in batch])
        horizon_us = connection.scalar(select(func.max(_cleanup.c.cutoff_us))) or 0
        fresh: list[Record] = []
        outcomes = [_sort_out(batch, known, horizon_us, fresh) for batch in batches]
        if fresh:
            rows = self._with_numbers(connection, fresh)
            connection.execute(insert(_event), rows)
            add_to_rollups(connection, rows)
            add_to_sessions(connection, rows)
        return outcomes

    def forget(self) -> None:
        """To be called when a transaction was rolled back."""
        self._labels.forget()

    def _with_numbers(self, connection: Connection, records: Iterable[Record]) -> list[Record]:
        rows = [dict(record) for record in records]
        words = {row[name] for row in rows for name in LABEL_COLUMNS} - {None}
        self._labels.learn(connection, words)
        for row in rows:
            for name in LABEL_COLUMNS:
                row[name] = self._labels.number(row[name])
        return rows


def _sort_out(
    batch: Sequence[Record], known: set[bytes], horizon_us: int, fresh: list[Record]
) -> Stored:
    """Puts new records into `fresh` and their ids into `known`."""
    accepted = duplicates = 0
    too_old: list[int] = []
    for place, record in enumerate(batch):
        if record["id"] in known:
            duplicates += 1
        elif record["time_us"] < horizon_us:
            too_old.append(place)
        else:
            known.add(record["id"])
            fresh.append(record)
            accepted += 1
    return Stored(accepted, duplicates, too_old)


def _known_ids(connection: Connection, ids: Sequence[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for start in range(0, len(ids), _CHUNK):
        wanted = select(_event.c.id).where(_event.c.id.in_(ids[start : start + _CHUNK]))
        found.update(connection.scalars(wanted))
    return found
