"""Cleaning up: what is old goes in small steps, its sums stay, and the space is given back."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from services.analytics.gap_candidates import forget_candidates
from services.analytics.intake import microseconds
from services.analytics.journal_models import Cleanup
from services.analytics.models import (
    BUCKET_US,
    BUCKETS_PER_DAY,
    KEY_BITS,
    Kind,
    Session,
    table,
)
from services.analytics.questions import counts_of, forget_days, hash_of, take_questions
from services.analytics.record import rfc3339
from services.analytics.schemas import CleanupAnswer, CleanupBody, Counts
from services.analytics.statistics import totals
from services.analytics.words import index_words
from services.kernel.database import read, write

_session = table(Session)
_cleanup = table(Cleanup)
_DAY_US = BUCKET_US * BUCKETS_PER_DAY
_CHUNK_ROWS = 5_000  # the writer waits for one chunk at most
_VACUUM_PAGES = 1_000
_ALSO_DELETED = ["queries", "export", "top_queries", "sessions", "gaps", "conversations"]


def clean_up(engine: Engine, path: Path, wanted: CleanupBody, now: datetime) -> CleanupAnswer:
    """Deletes records from before the cutoff, or with `dry_run` only says what would go.

    Blocks for as long as it takes; others may read and write meanwhile. `path` is the database's.
    """
    cutoff_us = microseconds(now - timedelta(days=wanted.older_than_days))
    size_before = database_bytes(path)
    with read(engine) as connection:
        would_delete = _counts_before(connection, cutoff_us)
    deleted: Counter[int] = Counter()
    if not wanted.dry_run:
        deleted = _delete_records(engine, cutoff_us, microseconds(now))
        _delete_sessions(engine, cutoff_us)
        _give_space_back(engine)
    with read(engine) as connection:
        kept = totals(connection)
    size_after = database_bytes(path)
    return CleanupAnswer(
        dry_run=wanted.dry_run,
        older_than_days=wanted.older_than_days,
        cutoff=rfc3339(cutoff_us),
        would_delete=_counts(would_delete),
        deleted=_counts(deleted),
        totals_kept=kept,
        also_deleted=_ALSO_DELETED,
        freed_bytes=0 if wanted.dry_run else max(size_before - size_after, 0),
        size_bytes=size_after,
    )


def database_bytes(path: Path) -> int:
    """The database with its write-ahead log."""
    files = (path, path.with_name(path.name + "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _counts_before(connection: Connection, cutoff_us: int) -> Counter[int]:
    statement = (
        "SELECT f.kind, count(*) FROM event AS e JOIN facet AS f ON f.id = e.facet "
        "WHERE e.key < ? GROUP BY f.kind"
    )
    rows = connection.exec_driver_sql(statement, (cutoff_us << KEY_BITS,))
    return Counter({row[0]: row[1] for row in rows})


def _counts(by_kind: Counter[int]) -> Counts:
    return Counts(total=by_kind.total(), **{kind.name: by_kind[kind] for kind in Kind})


def _delete_records(engine: Engine, cutoff_us: int, now_us: int) -> Counter[int]:
    """From the first step on, no event from before the cutoff is taken in any more."""
    with write(engine) as connection:
        noted = connection.execute(
            insert(_cleanup).values(ran_at_us=now_us, cutoff_us=cutoff_us, deleted=0)
        )
        number = noted.inserted_primary_key[0] if noted.inserted_primary_key else 0
        forget_days(connection, cutoff_us // _DAY_US)
        forget_candidates(connection, cutoff_us)
    deleted: Counter[int] = Counter()
    while True:
        with write(engine) as connection:
            chunk = _delete_chunk(connection, cutoff_us)
            if not chunk:
                return deleted
            total = _cleanup.c.deleted + chunk.total()
            connection.execute(
                update(_cleanup).where(_cleanup.c.id == number).values(deleted=total)
            )
        deleted += chunk


_OLDEST = """
SELECT e.key, f.kind, e.facet, e.text, e.total_found, c.text AS cause
FROM event AS e JOIN facet AS f ON f.id = e.facet JOIN trait AS t ON t.id = e.trait
LEFT JOIN label AS c ON c.id = t.cause
WHERE e.key < ? ORDER BY e.key LIMIT ?
"""
_DELETE_WORDS = "INSERT INTO event_words (event_words, rowid, words) VALUES ('delete', ?, ?)"


def _delete_chunk(connection: Connection, cutoff_us: int) -> Counter[int]:
    """The oldest records with all that knows their words."""
    limits = (cutoff_us << KEY_BITS, _CHUNK_ROWS)
    rows = connection.exec_driver_sql(_OLDEST, limits).all()
    if not rows:
        return Counter()
    told = [row for row in rows if row.text is not None]
    words = [(row.key, index_words(row.text, row.facet)) for row in told]
    if words:
        connection.exec_driver_sql(_DELETE_WORDS, words)
    last_day = cutoff_us // _DAY_US  # the days before are forgotten already
    asked = (
        (last_day, hash_of(row.text), *counts, row.key)
        for row in told
        if (row.key >> KEY_BITS) // _DAY_US == last_day
        and (counts := counts_of(row.kind, row.cause, row.total_found))
    )
    take_questions(connection, asked)
    for name in ("answer", "event"):
        connection.exec_driver_sql(f"DELETE FROM {name} WHERE key <= ?", (rows[-1].key,))  # noqa: S608  # our own words
    return Counter(row.kind for row in rows)


def _delete_sessions(engine: Engine, cutoff_us: int) -> None:
    """Conversations that ended before the cutoff; those that began in each quarter stay counted."""
    old = select(_session.c.id).where(_session.c.last_us < cutoff_us).limit(_CHUNK_ROWS)
    while True:
        with write(engine) as connection:
            gone = connection.execute(delete(_session).where(_session.c.id.in_(old)))
            if gone.rowcount < _CHUNK_ROWS:
                return


def _give_space_back(engine: Engine) -> None:
    """Hands free pages to the file system, some at a time; outside a transaction, as it must be."""
    with closing(engine.raw_connection()) as connection:
        while _pragma(connection, "freelist_count") > 0:
            before = _pragma(connection, "freelist_count")
            _pragma(connection, f"incremental_vacuum({_VACUUM_PAGES})")
            if _pragma(connection, "freelist_count") >= before:
                break  # the file was made without auto_vacuum
        _pragma(connection, "wal_checkpoint(TRUNCATE)")


def _pragma(connection: Any, text: str) -> int:
    """Runs a PRAGMA to its end (incremental_vacuum works while it is fetched)."""
    rows = connection.cursor().execute(f"PRAGMA {text}").fetchall()
    return int(rows[0][0]) if rows else 0
