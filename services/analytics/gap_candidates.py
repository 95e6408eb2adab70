"""Questions that were not answered, noted while their records are stored: zero hits, weak passages,
refused for want of a source, voted down. Texts are redacted already; a cleanup takes them, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from services.analytics.intake import Record
from services.analytics.models import Kind
from services.analytics.questions import hash_of

MAX_QUESTIONS = 20_000
MAX_CHARACTERS = 300
_CHAT, _SEARCH = int(Kind.chat), int(Kind.search)
_COLLECTION = 5  # its place in a record's trait
_ADD = """
INSERT INTO gap_question
    (hash, gap, text, collection, zero_hits, low_scores, thumbs_down, refused, last_us)
VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (hash) DO UPDATE SET
    zero_hits = zero_hits + excluded.zero_hits,
    low_scores = low_scores + excluded.low_scores,
    thumbs_down = thumbs_down + excluded.thumbs_down,
    refused = refused + excluded.refused,
    collection = coalesce(collection, excluded.collection),
    last_us = max(last_us, excluded.last_us)
"""
_RATED = """
SELECT e.text FROM event AS e JOIN facet AS f ON f.id = e.facet
WHERE e.request_id = ? AND f.kind = 1 AND e.text IS NOT NULL LIMIT 1
"""
_LEAST_ASKED = """
DELETE FROM gap_question WHERE hash IN (
    SELECT hash FROM gap_question
    ORDER BY zero_hits + low_scores + thumbs_down + refused, last_us LIMIT ?
)
"""

# (text, collection, zero hits, weak ones, votes, refused, time)
Candidate = tuple[str, str | None, int, int, int, int, int]


def add_candidates(connection: Connection, records: Sequence[Record], low_score: float) -> None:
    """Notes what new records tell. Needs the transaction in which they are inserted."""
    found = [*_unanswered(records, low_score), *_voted_down(connection, records)]
    rows = [(hash_of(text), text, *rest) for text, *rest in found if len(text) <= MAX_CHARACTERS]
    if not rows:
        return
    connection.exec_driver_sql(_ADD, rows)
    count = connection.exec_driver_sql("SELECT count(*) FROM gap_question").scalar_one()
    if count > MAX_QUESTIONS:
        connection.exec_driver_sql(_LEAST_ASKED, (MAX_QUESTIONS // 10,))


def _unanswered(records: Sequence[Record], low_score: float) -> Iterator[Candidate]:
    for record in records:
        if record.text is None:
            continue
        if record.kind == _SEARCH:
            collection, score = record.trait[_COLLECTION], record.top_score
            if record.total_found == 0:
                yield record.text, collection, 1, 0, 0, 0, record.time_us
            elif score is not None and score < low_score:
                yield record.text, collection, 0, 1, 0, 0, record.time_us
        elif record.kind == _CHAT and record.citations == "[]":
            yield record.text, None, 0, 0, 0, 1, record.time_us


def _voted_down(connection: Connection, records: Sequence[Record]) -> Iterator[Candidate]:
    """The questions whose answers were voted down; a vote comes after its answer."""
    for record in records:
        if record.rating == -1 and record.rated_request_id is not None:
            values = (record.rated_request_id,)
            for text in connection.exec_driver_sql(_RATED, values).scalars():
                yield text, None, 0, 0, 1, 0, record.time_us


def forget_candidates(connection: Connection, cutoff_us: int) -> None:
    """Forgets questions that were last asked before the cutoff, and gaps that are left empty."""
    connection.exec_driver_sql("DELETE FROM gap_question WHERE last_us < ?", (cutoff_us,))
    connection.exec_driver_sql(
        "DELETE FROM gap WHERE state != 'answered' AND id NOT IN (SELECT gap FROM gap_question)"
    )
