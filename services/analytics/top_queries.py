"""What people asked and searched for most in a window of the reader's days.

Whole days of UTC are counted already (questions.py). The window's first hours, where it begins
within a day of UTC, are counted from the records; where these are gone, or too many to be counted
while somebody waits, the whole day counts.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from services.analytics.models import (
    BUCKET_US,
    BUCKETS_PER_DAY,
    KEY_BITS,
    Cleanup,
    Pulse,
    table,
)
from services.analytics.period import Window
from services.analytics.record import rfc3339
from services.analytics.schemas import TopQuery

_TOP = 20
_MAX_EDGE_RECORDS = 50_000
_pulse = table(Pulse)
_cleanup = table(Cleanup)
_COUNTED = """
SELECT hash, questions, searches, zero_hits, last_key FROM question_day
WHERE day >= ? AND day < ?
"""
_FROM_RECORDS = """
SELECT analytics_hash(e.text), sum(f.kind = 1),
    sum(f.kind = 2 AND coalesce(c.text, '') != 'assistant'),
    sum(f.kind = 2 AND coalesce(e.total_found, 1) = 0), max(e.key)
FROM event AS e
JOIN facet AS f ON f.id = e.facet AND f.kind IN (1, 2)
JOIN trait AS t ON t.id = e.trait
LEFT JOIN label AS c ON c.id = t.cause
WHERE e.key >= ? AND e.key < ? AND e.text IS NOT NULL
GROUP BY e.text
"""
_RANKED = """
SELECT hash, sum(questions) AS questions, sum(searches) AS searches, sum(zero_hits) AS zero_hits,
    max(last_key) AS last_key
FROM ({parts}) GROUP BY hash HAVING sum(questions) + sum(searches) > 0
ORDER BY sum(questions) + sum(searches) DESC, max(last_key) DESC LIMIT {top}
"""


def top_queries(connection: Connection, asked: Window) -> tuple[list[TopQuery], int]:
    """(the most frequent first, the most that any count may be too low by)."""
    first_day = asked.first // BUCKETS_PER_DAY
    end_day = -(-asked.end // BUCKETS_PER_DAY)
    parts, values = [_COUNTED], [first_day, end_day]
    edge_end = (first_day + 1) * BUCKETS_PER_DAY
    if asked.first % BUCKETS_PER_DAY and _can_be_counted(connection, asked.first, edge_end):
        parts = [_COUNTED, _FROM_RECORDS]
        keys = [(bucket * BUCKET_US) << KEY_BITS for bucket in (asked.first, edge_end)]
        first_day += 1
        values = [first_day, end_day, *keys]
    statement = _RANKED.format(parts=" UNION ALL ".join(parts), top=_TOP)
    rows = connection.exec_driver_sql(statement, tuple(values)).all()
    floors = "SELECT coalesce(sum(floor), 0) FROM question_floor WHERE day >= ? AND day < ?"
    missed = connection.exec_driver_sql(floors, (first_day, end_day)).scalar_one()
    texts = _texts(connection, [row.last_key for row in rows])
    return [
        TopQuery(
            text=texts[row.last_key],
            count=row.questions + row.searches,
            questions=row.questions,
            searches=row.searches,
            zero_hits=row.zero_hits,
            last_asked=rfc3339(row.last_key >> KEY_BITS),
        )
        for row in rows
        if row.last_key in texts
    ], missed


def _can_be_counted(connection: Connection, first: int, end: int) -> bool:
    """Whether all records of the buckets are there, and not too many."""
    cutoff_us = connection.scalar(select(func.max(_cleanup.c.cutoff_us))) or 0
    if cutoff_us > first * BUCKET_US:
        return False
    inside = (_pulse.c.bucket >= first) & (_pulse.c.bucket < end)
    count = connection.scalar(select(func.sum(_pulse.c.events)).where(inside)) or 0
    return bool(count <= _MAX_EDGE_RECORDS)


def _texts(connection: Connection, keys: list[int]) -> dict[int, str]:
    marks = ",".join("?" * len(keys))
    statement = f"SELECT key, text FROM event WHERE key IN ({marks}) AND text IS NOT NULL"  # noqa: S608  # marks only
    return {row.key: row.text for row in connection.exec_driver_sql(statement, tuple(keys))}
