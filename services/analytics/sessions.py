"""Conversations: where each began and ended, and how many began in each quarter of an hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, tuple_

from services.analytics.intake import Record
from services.analytics.models import BUCKET_US, Kind, Session, table
from services.analytics.statement import marks

_session = table(Session)
_CHUNK = 500  # of names in one statement
_CHAT = int(Kind.chat)
_KNOWN = "SELECT id, name, started_us, last_us, events, questions FROM session WHERE name IN "
_UPDATE = "UPDATE session SET started_us = ?, last_us = ?, events = ?, questions = ? WHERE id = ?"
_INSERT = (
    "INSERT INTO session (name, started_us, last_us, events, questions) VALUES (?, ?, ?, ?, ?)"
)


@dataclass(slots=True)
class _Span:
    """What is known of one conversation."""

    first_us: int
    last_us: int
    events: int = 0
    questions: int = 0


def add_to_sessions(
    connection: Connection, records: Iterable[Record]
) -> tuple[dict[str, int], Counter[int]]:
    """(numbers of the records' conversations, by how much those that began in a bucket became
    more). A late event may show that one began earlier than was known: then its count moves."""
    spans = _spans(records)
    numbers: dict[str, int] = {}
    moved: Counter[int] = Counter()
    changed = []
    for known in _known(connection, list(spans)):
        span = spans.pop(known.name)
        first_us = min(span.first_us, known.started_us)
        moved[known.started_us // BUCKET_US] -= 1
        moved[first_us // BUCKET_US] += 1
        last_us = max(span.last_us, known.last_us)
        events, questions = known.events + span.events, known.questions + span.questions
        changed.append((first_us, last_us, events, questions, known.id))
        numbers[known.name] = known.id
    if changed:
        connection.exec_driver_sql(_UPDATE, changed)
    if spans:
        made = [(n, s.first_us, s.last_us, s.events, s.questions) for n, s in spans.items()]
        connection.exec_driver_sql(_INSERT, made)
        moved.update(span.first_us // BUCKET_US for span in spans.values())
        numbers |= {row.name: row.id for row in _known(connection, list(spans))}
    return numbers, Counter({bucket: count for bucket, count in moved.items() if count})


def _spans(records: Iterable[Record]) -> dict[str, _Span]:
    spans: dict[str, _Span] = {}
    for record in records:
        if record.session is None:
            continue
        span = spans.get(record.session)
        if span is None:
            span = spans[record.session] = _Span(record.time_us, record.time_us)
        span.first_us = min(span.first_us, record.time_us)
        span.last_us = max(span.last_us, record.time_us)
        span.events += 1
        span.questions += record.kind == _CHAT
    return spans


def _known(connection: Connection, names: Sequence[str]) -> list[Row[Any]]:
    found: list[Row[Any]] = []
    for start in range(0, len(names), _CHUNK):
        some = tuple(names[start : start + _CHUNK])
        found += connection.exec_driver_sql(_KNOWN + marks(len(some)), some).all()
    return found


def number_of(connection: Connection, name: str) -> int:
    """The number of a conversation; -1, which no record has, of one that never was."""
    found = connection.scalar(select(_session.c.id).where(_session.c.name == name))
    return -1 if found is None else int(found)


def page(
    connection: Connection, limit: int, cursor: str | None
) -> tuple[list[Row[Any]], str | None]:
    """(conversations, the last heard of first, cursor of the next page or None)."""
    newest_first = (_session.c.last_us.desc(), _session.c.id.desc())
    wanted = select(_session).order_by(*newest_first).limit(limit + 1)
    if cursor is not None:
        last_us, number = (int(part) for part in cursor.split("-"))
        wanted = wanted.where(tuple_(_session.c.last_us, _session.c.id) < (last_us, number))
    rows = list(connection.execute(wanted).all())
    following = None
    if len(rows) > limit:
        following = f"{rows[limit - 1].last_us}-{rows[limit - 1].id}"
    return rows[:limit], following
