"""How often texts were asked in a span of time, as columns of numbers; known spans stay in memory.

A month of days is some tens of thousands of counts, and all but the last day no longer change: they
are read once. A span is known by how many records it holds (records are only ever added), and none
is kept that a cleanup has touched.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import orjson
from sqlalchemy import Connection, func, select

from services.analytics.journal_models import Cleanup
from services.analytics.models import BUCKET_US, BUCKETS_PER_DAY, KEY_BITS, table

# Five rows: hash, questions, searches, zero hits, newest key; a column for each text.
Counts = npt.NDArray[np.int64]
_ROWS = ("hash", "questions", "searches", "zero_hits", "last_key")
_MAX_KEPT_TEXTS = 250_000  # 10 MB
_cleanup = table(Cleanup)

_OF_DAY = """
SELECT hash, questions, searches, zero_hits, last_key FROM question_day WHERE day = ?
"""
_OF_RECORDS = """
SELECT analytics_hash(e.text) AS hash, sum(f.kind = 1) AS questions,
    sum(f.kind = 2 AND coalesce(c.text, '') != 'assistant') AS searches,
    sum(f.kind = 2 AND coalesce(e.total_found, 1) = 0) AS zero_hits, max(e.key) AS last_key
FROM event AS e
JOIN facet AS f ON f.id = e.facet AND f.kind IN (1, 2)
JOIN trait AS t ON t.id = e.trait
LEFT JOIN label AS c ON c.id = t.cause
WHERE e.key >= ? AND e.key < ? AND e.text IS NOT NULL
GROUP BY e.text
"""
# One value for all: each row that Python fetches is another wait for its lock.
_AS_COLUMNS = "SELECT " + ", ".join(f"json_group_array({name})" for name in _ROWS) + " FROM ({})"  # noqa: S608  # our own words


@dataclass(frozen=True)
class Span:
    """Buckets from `first` up to and without `end`, within one day of UTC; whole days are counted
    already, parts are counted from the records."""

    first: int
    end: int

    @property
    def whole_day(self) -> bool:
        return self.end - self.first == BUCKETS_PER_DAY


class QuestionCounts:
    """Reads counts, for many threads; one for an application."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Span, tuple[int, Counts]] = OrderedDict()
        self._kept_texts = 0
        self._lock = threading.Lock()

    def read(self, connection: Connection, spans: Sequence[Span]) -> list[Counts]:
        """The counts of spans that follow one another, oldest first."""
        records = _records_by_day(connection, spans[0].first, spans[-1].end)
        cutoff_us = last_cutoff_us(connection)
        found = []
        for span in spans:
            held = records.get(span.first // BUCKETS_PER_DAY, 0)
            untouched = cutoff_us <= span.first * BUCKET_US
            counts = self._remembered(span, held) if untouched else None
            if counts is None:
                counts = _counted(connection, span)
                if untouched:
                    self._remember(span, held, counts)
            found.append(counts)
        return found

    def _remembered(self, span: Span, records: int) -> Counts | None:
        with self._lock:
            held, counts = self._kept.get(span, (-1, None))
            if held != records:
                return None
            self._kept.move_to_end(span)
            return counts

    def _remember(self, span: Span, records: int, counts: Counts) -> None:
        with self._lock:
            self._forget(span)
            self._kept[span] = (records, counts)
            self._kept_texts += counts.shape[1]
            while self._kept_texts > _MAX_KEPT_TEXTS:
                self._forget(next(iter(self._kept)))

    def _forget(self, span: Span) -> None:
        _, counts = self._kept.pop(span, (0, None))
        if counts is not None:
            self._kept_texts -= counts.shape[1]


def _counted(connection: Connection, span: Span) -> Counts:
    values: tuple[int, ...] = (span.first // BUCKETS_PER_DAY,)
    if not span.whole_day:
        values = tuple((bucket * BUCKET_US) << KEY_BITS for bucket in (span.first, span.end))
    statement = _AS_COLUMNS.format(_OF_DAY if span.whole_day else _OF_RECORDS)
    row = connection.exec_driver_sql(statement, values).one()
    return np.array([orjson.loads(column) for column in row], dtype=np.int64)


def _records_by_day(connection: Connection, first: int, end: int) -> dict[int, int]:
    """How many records there ever were in the buckets of each day."""
    rows = connection.exec_driver_sql(
        "SELECT bucket / ?, sum(events) FROM pulse WHERE bucket >= ? AND bucket < ? GROUP BY 1",
        (BUCKETS_PER_DAY, first, end),
    )
    return {row[0]: row[1] for row in rows}


def last_cutoff_us(connection: Connection) -> int:
    """The time before which a cleanup has taken records; 0: never."""
    return connection.scalar(select(func.max(_cleanup.c.cutoff_us))) or 0
