"""What people asked and searched for most in a window of the reader's days.

Whole days of UTC are counted already (questions.py). The window's first hours, where it begins
within a day of UTC, are counted from the records; where these are gone, or too many to be counted
while somebody waits, the whole day counts.
"""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection, func, select

from services.analytics.models import BUCKET_US, BUCKETS_PER_DAY, KEY_BITS, Pulse, table
from services.analytics.period import Window
from services.analytics.question_counts import Counts, QuestionCounts, Span, last_cutoff_us
from services.analytics.record import rfc3339
from services.analytics.schemas import TopQuery

_TOP = 20
_MAX_EDGE_RECORDS = 50_000
_pulse = table(Pulse)


def top_queries(
    connection: Connection, counts: QuestionCounts, asked: Window
) -> tuple[list[TopQuery], int]:
    """(the most frequent first, the most that any count may be too low by)."""
    spans = _spans(connection, asked)
    days = [span.first // BUCKETS_PER_DAY for span in spans if span.whole_day]
    floors = "SELECT coalesce(sum(floor), 0) FROM question_floor WHERE day >= ? AND day <= ?"
    missed = connection.exec_driver_sql(floors, (days[0], days[-1])).scalar_one() if days else 0
    rows = _ranked(counts.read(connection, spans))
    texts = _texts(connection, [last_key for _, _, _, last_key in rows])
    return [
        TopQuery(
            text=texts[last_key],
            count=questions + searches,
            questions=questions,
            searches=searches,
            zero_hits=zero_hits,
            last_asked=rfc3339(last_key >> KEY_BITS),
        )
        for questions, searches, zero_hits, last_key in rows
        if last_key in texts
    ], missed


def _spans(connection: Connection, asked: Window) -> list[Span]:
    """The window by days of UTC; the first may be a part of one, the last runs to its end."""
    first_day, end_day = asked.first // BUCKETS_PER_DAY, -(-asked.end // BUCKETS_PER_DAY)
    days = [Span(d * BUCKETS_PER_DAY, (d + 1) * BUCKETS_PER_DAY) for d in range(first_day, end_day)]
    edge = Span(asked.first, days[0].end)
    if not edge.whole_day and _can_be_counted(connection, edge):
        days[0] = edge
    return days


def _can_be_counted(connection: Connection, edge: Span) -> bool:
    """Whether all records of the span are there, and not too many."""
    if last_cutoff_us(connection) > edge.first * BUCKET_US:
        return False
    inside = (_pulse.c.bucket >= edge.first) & (_pulse.c.bucket < edge.end)
    count = connection.scalar(select(func.sum(_pulse.c.events)).where(inside)) or 0
    return bool(count <= _MAX_EDGE_RECORDS)


def _ranked(parts: list[Counts]) -> list[tuple[int, int, int, int]]:
    """(questions, searches, zero hits, newest key) of the most frequent texts of all parts; among
    equals the one asked last comes first."""
    hashes, *sums, keys = np.concatenate(parts, axis=1)
    texts, places = np.unique(hashes, return_inverse=True)
    questions, searches, zero_hits = (
        np.bincount(places, weights=column, minlength=len(texts)).astype(np.int64)
        for column in sums
    )
    newest = np.zeros(len(texts), dtype=np.int64)
    np.maximum.at(newest, places, keys)
    count = questions + searches
    asked = np.flatnonzero(count > 0)
    best = asked[np.lexsort((-newest[asked], -count[asked]))[:_TOP]]
    questions, searches, zero_hits, newest = (
        column[best].tolist() for column in (questions, searches, zero_hits, newest)
    )
    return list(zip(questions, searches, zero_hits, newest, strict=True))


def _texts(connection: Connection, keys: list[int]) -> dict[int, str]:
    marks = ",".join("?" * len(keys))
    statement = f"SELECT key, text FROM event WHERE key IN ({marks}) AND text IS NOT NULL"  # noqa: S608  # marks only
    return {row.key: row.text for row in connection.exec_driver_sql(statement, tuple(keys))}
