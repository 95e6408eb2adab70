"""Sums by quarters of an hour and by days, kept in the transaction of the records they count."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import Connection, Table

from services.analytics import histogram
from services.analytics.intake import Record
from services.analytics.models import (
    BUCKET_US,
    BUCKETS_PER_DAY,
    PULSE_COLUMNS,
    SUM_COLUMNS,
    Kind,
    Pulse,
    Rollup,
    RollupDay,
    table,
)
from services.analytics.statement import insert_text, marks

Key: TypeAlias = tuple[int, int]  # (bucket or day, facet)

_CHUNK = 500  # of keys in one statement, far below SQLite's bound on variables
_ZEROS = (0,) * len(SUM_COLUMNS)
_CHAT, _SEARCH, _ERROR = int(Kind.chat), int(Kind.search), int(Kind.error)


@dataclass(slots=True)
class Sums:
    """One row of a rollup in the making; `counts` in the order of SUM_COLUMNS."""

    counts: list[int] = field(default_factory=lambda: list(_ZEROS))
    durations: dict[int, int] = field(default_factory=dict)
    first_tokens: dict[int, int] = field(default_factory=dict)

    def add(self, record: Record, low_score: float) -> None:
        """Counts one record."""
        counts = self.counts
        counts[0] += 1
        if record.kind == _SEARCH:
            counts[1] += record.total_found == 0
            counts[2] += record.top_score is not None and record.top_score < low_score
        elif record.rating is not None:
            counts[3 if record.rating > 0 else 4] += 1
        elif record.kind == _CHAT:
            counts[5] += record.trait[9] is not None
            counts[6] += record.trait[11] == "hit"
        counts[7] += record.input_tokens or 0
        counts[8] += record.output_tokens or 0
        counts[9] += record.cost_nano_usd or 0
        if record.duration_us is not None:
            _count(self.durations, histogram.bin_of(record.duration_us))
        if record.first_token_us is not None:
            _count(self.first_tokens, histogram.bin_of(record.first_token_us))

    def add_sums(self, other: Sums) -> None:
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        for number, count in other.durations.items():
            _count(self.durations, number, count)
        for number, count in other.first_tokens.items():
            _count(self.first_tokens, number, count)

    def add_row(self, row: Sequence[Any]) -> None:
        """Adds what the database holds already: counts, then the two histograms."""
        size = len(SUM_COLUMNS)
        self.counts = [a + b for a, b in zip(self.counts, row[2 : 2 + size], strict=True)]
        durations, first_tokens = row[2 + size :]
        self.durations = _merged(durations, self.durations)
        self.first_tokens = _merged(first_tokens, self.first_tokens)


def _count(counts: dict[int, int], number: int, by: int = 1) -> None:
    counts[number] = counts.get(number, 0) + by


def _merged(blob: bytes, added: dict[int, int]) -> dict[int, int]:
    """What the database holds, which are many bins, and the few that are new."""
    counts = dict(histogram.pairs(blob))
    for number, count in added.items():
        counts[number] = counts.get(number, 0) + count
    return counts


class RollupWriter:
    """Counts new records; keeps the statements."""

    def __init__(self, low_score: float) -> None:
        self._low_score = low_score
        self._quarters = _Grain(table(Rollup), "bucket")
        self._days = _Grain(table(RollupDay), "day")

    def add(
        self,
        connection: Connection,
        records: Sequence[Record],
        facets: Sequence[int],
        begun: Mapping[int, int],
    ) -> None:
        """Counts records with their facets, and by how much the conversations that began in a
        bucket became more. Needs the transaction in which the records are inserted."""
        quarters: dict[Key, Sums] = {}
        for record, facet in zip(records, facets, strict=True):
            key = (record.time_us // BUCKET_US, facet)
            sums = quarters.get(key)
            if sums is None:
                sums = quarters[key] = Sums()
            sums.add(record, self._low_score)
        days: dict[Key, Sums] = defaultdict(Sums)
        for (bucket, facet), sums in quarters.items():
            days[bucket // BUCKETS_PER_DAY, facet].add_sums(sums)
        pulses = _pulses(quarters, records)
        self._quarters.add(connection, quarters)
        self._days.add(connection, days)
        for bucket, count in begun.items():
            pulses[bucket]["sessions"] += count
        _add_pulses(connection, pulses)


class _Grain:
    """One table of rollups: read what is there, add, write back."""

    def __init__(self, target: Table, time: str) -> None:
        names = [time, "facet", *SUM_COLUMNS, "durations", "first_tokens"]
        columns = ", ".join(target.c[name].name for name in names)
        self._select = f"SELECT {columns} FROM {target.name} WHERE {time} = ? AND facet IN "  # noqa: S608  # our own names
        self._put = insert_text(target, names, replace=True)

    def add(self, connection: Connection, added: dict[Key, Sums]) -> None:
        facets_by_time: dict[int, list[int]] = defaultdict(list)
        for time, facet in added:
            facets_by_time[time].append(facet)
        for time, facets in facets_by_time.items():
            for start in range(0, len(facets), _CHUNK):
                some = facets[start : start + _CHUNK]
                statement = self._select + marks(len(some))
                for row in connection.exec_driver_sql(statement, (time, *some)):
                    added[row[0], row[1]].add_row(row)
        rows = [
            (
                *key,
                *sums.counts,
                histogram.encode(sums.durations),
                histogram.encode(sums.first_tokens),
            )
            for key, sums in added.items()
        ]
        connection.exec_driver_sql(self._put, rows)


def _pulses(quarters: dict[Key, Sums], records: Sequence[Record]) -> dict[int, Counter[str]]:
    """The sums of each bucket over all facets."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for (bucket, _), sums in quarters.items():
        pulse = found[bucket]
        for name, count in zip(SUM_COLUMNS, sums.counts, strict=True):
            pulse[name] += count
    for record in records:
        pulse = found[record.time_us // BUCKET_US]
        if record.kind == _CHAT:
            pulse["questions"] += 1
        elif record.kind == _SEARCH:
            pulse["searches"] += 1
        if record.kind == _ERROR or record.facet[5] is not None:
            pulse["errors"] += 1
    return found


def _add_pulses(connection: Connection, pulses: dict[int, Counter[str]]) -> None:
    """Adds to the sums over all facets."""
    rows = [(bucket, *(pulse[name] for name in PULSE_COLUMNS)) for bucket, pulse in pulses.items()]
    connection.exec_driver_sql(_ADD_PULSE, rows)


_ADD_PULSE = (
    insert_text(table(Pulse), ("bucket", *PULSE_COLUMNS))
    + " ON CONFLICT (bucket) DO UPDATE SET "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in PULSE_COLUMNS)
)
