"""How often each text was asked, by days of UTC, in a bounded number of rows.

A day keeps its most frequent texts (Space-Saving, https://doi.org/10.1007/978-3-540-30570-5_27): at
2,000 it drops to the 1,000 most frequent and remembers how often a text that it dropped may have
been asked (its floor). A text that comes after that starts at one and has `missed` the floor at
most. So a count is never too high, and too low by at most a thousandth of the day's questions; a
day with fewer than 2,000 different texts is counted exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from sqlalchemy import Connection

from services.analytics.intake import Record
from services.analytics.models import BUCKET_US, BUCKETS_PER_DAY, Kind

_KEEP = 1_000
_CHAT, _SEARCH = int(Kind.chat), int(Kind.search)
_DAY_US = BUCKET_US * BUCKETS_PER_DAY
_CAUSE = 7  # its place in a record's trait
_ASSISTANT = "assistant"  # the cause of a search that no person made

_ADD = """
INSERT INTO question_day (day, hash, questions, searches, zero_hits, missed, last_key)
VALUES (?1, ?2, ?3, ?4, ?5, coalesce((SELECT floor FROM question_floor WHERE day = ?1), 0), ?6)
ON CONFLICT (day, hash) DO UPDATE SET
    questions = questions + excluded.questions,
    searches = searches + excluded.searches,
    zero_hits = zero_hits + excluded.zero_hits,
    last_key = max(last_key, excluded.last_key)
"""
_DROPPED = """
SELECT hash, questions + searches + missed FROM question_day WHERE day = ?
ORDER BY questions + searches DESC, last_key DESC LIMIT -1 OFFSET ?
"""
_SET_FLOOR = """
INSERT INTO question_floor (day, floor) VALUES (?, ?)
ON CONFLICT (day) DO UPDATE SET floor = max(floor, excluded.floor)
"""
_TAKE = """
UPDATE question_day
SET questions = questions - ?, searches = searches - ?, zero_hits = zero_hits - ?
WHERE day = ? AND hash = ?
"""

# (day, hash, questions, searches, zero_hits, last_key)
Asked = tuple[int, int, int, int, int, int]


def hash_of(text: str) -> int:
    """64 bits that stand for a text."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def counts_of(kind: int, cause: str | None, total_found: int | None) -> tuple[int, int, int] | None:
    """(questions, searches, zero hits) of one record. A search that an assistant made for a
    question is not another asking, but its zero hits count."""
    if kind == _CHAT:
        return 1, 0, 0
    if kind == _SEARCH:
        return 0, int(cause != _ASSISTANT), int(total_found == 0)
    return None


def add_questions(connection: Connection, records: Sequence[Record], keys: Sequence[int]) -> None:
    """Counts the texts of new records. Needs the transaction in which these are inserted."""
    counted = (
        (record.time_us // _DAY_US, record.text, counts, key)
        for record, key in zip(records, keys, strict=True)
        if record.text is not None
        and (counts := counts_of(record.kind, record.trait[_CAUSE], record.total_found))
    )
    rows = summed((day, hash_of(text), *counts, key) for day, text, counts, key in counted)
    if not rows:
        return
    connection.exec_driver_sql(_ADD, rows)
    for day in {row[0] for row in rows}:
        _bound(connection, day)


def summed(asked: Iterable[Asked]) -> list[Asked]:
    """One row for each text of a day."""
    found: dict[tuple[int, int], Asked] = {}
    for row in asked:
        known = found.get(row[:2])
        if known is not None:
            sums = (a + b for a, b in zip(known[2:5], row[2:5], strict=True))
            row = (*row[:2], *sums, max(known[5], row[5]))  # type: ignore[assignment]  # 6 numbers
        found[row[:2]] = row
    return list(found.values())


def take_questions(connection: Connection, asked: Iterable[Asked]) -> None:
    """Takes back what deleted records counted, so that no text outlives its last record."""
    rows = [(q, s, z, day, text) for day, text, q, s, z, _ in summed(asked)]
    if not rows:
        return
    connection.exec_driver_sql(_TAKE, rows)
    for day in {row[3] for row in rows}:
        connection.exec_driver_sql(
            "DELETE FROM question_day WHERE day = ? AND questions + searches + zero_hits <= 0",
            (day,),
        )


def forget_days(connection: Connection, before_day: int) -> None:
    """Forgets all texts of the days before one."""
    for name in ("question_day", "question_floor"):
        connection.exec_driver_sql(f"DELETE FROM {name} WHERE day < ?", (before_day,))  # noqa: S608  # our own names


def _bound(connection: Connection, day: int) -> None:
    """Keeps a day's rows within their bound."""
    count = connection.exec_driver_sql(
        "SELECT count(*) FROM question_day WHERE day = ?", (day,)
    ).scalar_one()
    if count < 2 * _KEEP:
        return
    dropped = connection.exec_driver_sql(_DROPPED, (day, _KEEP)).all()
    connection.exec_driver_sql(
        "DELETE FROM question_day WHERE day = ? AND hash = ?", [(day, row[0]) for row in dropped]
    )
    connection.exec_driver_sql(_SET_FLOOR, (day, max(row[1] for row in dropped)))
