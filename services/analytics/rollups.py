"""Sums by quarters of an hour, kept in the same transaction as the records they count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, select, tuple_
from sqlalchemy.dialects.sqlite import insert

from services.analytics import histogram
from services.analytics.intake import Record
from services.analytics.models import BUCKET_US, Kind, Rollup, Session, SessionRollup, table

Key: TypeAlias = tuple[int, ...]

KEY_COLUMNS = tuple(table(Rollup).primary_key.columns.keys())
SUM_COLUMNS = (
    "events",
    "zero_hits",
    "thumbs_up",
    "thumbs_down",
    "input_tokens",
    "output_tokens",
    "cost_nano_usd",
)
_rollup = table(Rollup)
_session = table(Session)
_session_rollup = table(SessionRollup)
_CHUNK = 500  # of keys in one statement, far below SQLite's bound on variables


@dataclass(slots=True)
class Sums:
    """One row of `rollup` in the making; `counts` in the order of SUM_COLUMNS."""

    counts: list[int] = field(default_factory=lambda: [0] * len(SUM_COLUMNS))
    durations: Counter[int] = field(default_factory=Counter)
    first_tokens: Counter[int] = field(default_factory=Counter)

    def add(self, record: Record) -> None:
        """Counts one record."""
        counted = (
            1,
            record["kind"] == Kind.search and record["total_found"] == 0,
            record["rating"] == 1,
            record["rating"] == -1,
            record["input_tokens"] or 0,
            record["output_tokens"] or 0,
            record["cost_nano_usd"] or 0,
        )
        self.counts = [a + b for a, b in zip(self.counts, counted, strict=True)]
        if record["duration_us"] is not None:
            self.durations[histogram.bin_of(record["duration_us"])] += 1
        if record["first_token_us"] is not None:
            self.first_tokens[histogram.bin_of(record["first_token_us"])] += 1

    def add_row(self, row: Row[Any]) -> None:
        """Adds what the database holds already."""
        self.counts = [a + getattr(row, n) for a, n in zip(self.counts, SUM_COLUMNS, strict=True)]
        self.durations += histogram.decode(row.durations)
        self.first_tokens += histogram.decode(row.first_tokens)


def key_of(record: Record) -> Key:
    """The row of `rollup` that counts a record whose labels are numbers."""
    return (
        record["time_us"] // BUCKET_US,
        record["kind"],
        record["service"],
        record["provider"] or 0,
        record["model"] or 0,
        record["status"] or 0,
        record["error_type"] or 0,
        record["end_reason"] or 0,
    )


def add_to_rollups(connection: Connection, records: Iterable[Record]) -> None:
    """Counts new records. Needs the write transaction in which they are inserted."""
    sums: dict[Key, Sums] = {}
    for record in records:
        sums.setdefault(key_of(record), Sums()).add(record)
    for row in _existing(connection, sorted(sums)):
        sums[tuple(row[: len(KEY_COLUMNS)])].add_row(row)
    rows = [
        dict(zip(KEY_COLUMNS, key, strict=True))
        | dict(zip(SUM_COLUMNS, total.counts, strict=True))
        | {
            "durations": histogram.encode(total.durations),
            "first_tokens": histogram.encode(total.first_tokens),
        }
        for key, total in sums.items()
    ]
    connection.execute(insert(_rollup).prefix_with("OR REPLACE"), rows)


def _existing(connection: Connection, keys: Sequence[Key]) -> Iterable[Row[Any]]:
    columns = tuple_(*(_rollup.c[name] for name in KEY_COLUMNS))
    for start in range(0, len(keys), _CHUNK):
        wanted = keys[start : start + _CHUNK]
        # SQLite finds pairs in a list by a scan, but single values by the index.
        near = _rollup.c.bucket.in_({key[0] for key in wanted})
        yield from connection.execute(select(_rollup).where(near, columns.in_(wanted)))


def add_to_sessions(connection: Connection, records: Iterable[Record]) -> None:
    """Keeps where each conversation began and ended, and how many began in each quarter.

    A late event may show that one began earlier than was known: then its count moves.
    """
    spans: dict[str, tuple[int, int]] = {}
    for record in records:
        name, time_us = record["session_id"], record["time_us"]
        if name is not None:
            first, last = spans.get(name, (time_us, time_us))
            spans[name] = (min(first, time_us), max(last, time_us))
    if not spans:
        return
    moved: Counter[int] = Counter()
    for known in _known_sessions(connection, list(spans)):
        first, last = spans[known.id]
        moved[known.started_us // BUCKET_US] -= 1
        spans[known.id] = (min(first, known.started_us), max(last, known.last_us))
    moved.update(first // BUCKET_US for first, _ in spans.values())
    rows = [{"id": n, "started_us": a, "last_us": b} for n, (a, b) in spans.items()]
    connection.execute(insert(_session).prefix_with("OR REPLACE"), rows)
    _add_session_counts(connection, {bucket: n for bucket, n in moved.items() if n})


def _known_sessions(connection: Connection, names: Sequence[str]) -> Iterable[Row[Any]]:
    for start in range(0, len(names), _CHUNK):
        wanted = _session.c.id.in_(names[start : start + _CHUNK])
        yield from connection.execute(select(_session).where(wanted))


def _add_session_counts(connection: Connection, counts: dict[int, int]) -> None:
    if not counts:
        return
    statement = insert(_session_rollup)
    total = _session_rollup.c.sessions + statement.excluded.sessions
    statement = statement.on_conflict_do_update(index_elements=["bucket"], set_={"sessions": total})
    connection.execute(statement, [{"bucket": b, "sessions": n} for b, n in counts.items()])
