"""Records lie in the order of time, words are found by FTS5, days have sums of their own.

Sums are carried over, not counted again: the records behind them may be gone.
"""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa
from alembic import op

from services.analytics import histogram
from services.analytics.identifier import packed
from services.analytics.questions import counts_of, hash_of, summed
from services.analytics.words import index_words

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SUMS = (
    *("events", "zero_hits", "low_scores", "thumbs_up", "thumbs_down", "fallbacks", "cache_hits"),
    *("input_tokens", "output_tokens", "cost_nano_usd"),
)
_FACET = ("kind", "service", "provider", "model", "status", "error_type", "end_reason")
_TRAIT = (
    *("requested_model", "assistant", "finish_reason", "stream", "usage_source", "collection"),
    *("mode", "cause", "top_k", "fallback_from", "attempts", "cache"),
)
_CHUNK = 5_000
_US_PER_DAY = 86_400_000_000


def upgrade() -> None:
    for index in ("ix_event_time", "ix_event_request", "ix_event_session", "ix_session_last"):
        op.drop_index(index)
    for name in ("event", "rollup", "session"):
        op.rename_table(name, f"{name}_0001")
    _create()
    connection = op.get_bind()
    for statement in _CARRY_OVER:
        connection.exec_driver_sql(statement)
    _move_events(connection)
    _sum_days(connection)
    for name in ("event_0001", "rollup_0001", "session_0001", "session_rollup"):
        op.drop_table(name)


def _create() -> None:
    for name, columns in (("facet", _FACET), ("trait", _TRAIT)):
        op.create_table(
            name,
            sa.Column("id", sa.Integer, primary_key=True),
            *(sa.Column(column, sa.Integer, nullable=False) for column in columns),
            sa.UniqueConstraint(*columns),
        )
    _create_event()
    for name, time in (("rollup", "bucket"), ("rollup_day", "day")):
        op.create_table(
            name,
            sa.Column(time, sa.Integer, primary_key=True),
            sa.Column("facet", sa.Integer, primary_key=True),
            *_sums(),
            *(sa.Column(n, sa.LargeBinary, nullable=False) for n in ("durations", "first_tokens")),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "pulse",
        sa.Column("bucket", sa.Integer, primary_key=True),
        *_sums(),
        *_integers("questions", "searches", "errors", "sessions"),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        *(sa.Column(n, sa.BigInteger, nullable=False) for n in ("started_us", "last_us")),
        *_integers("events", "questions"),
    )
    op.create_index("ix_session_last", "session", ["last_us"])
    _create_questions()
    _create_others()
    _create_gaps()


def _create_event() -> None:
    op.create_table(
        "event",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("id", sa.LargeBinary, nullable=False, unique=True),
        *_integers("facet", "trait"),
        sa.Column("request_id", sa.LargeBinary, nullable=False),
        sa.Column("session", sa.Integer),
        sa.Column("visitor_id", sa.LargeBinary),
        *(sa.Column(name, sa.Integer) for name in ("input_tokens", "output_tokens")),
        *(sa.Column(n, sa.BigInteger) for n in ("cost_nano_usd", "duration_us", "first_token_us")),
        sa.Column("total_found", sa.Integer),
        sa.Column("top_score", sa.Float),
        sa.Column("rating", sa.SmallInteger),
        sa.Column("rated_request_id", sa.LargeBinary),
        *(sa.Column(name, sa.String) for name in ("text", "citations", "extra")),
    )
    op.create_index("ix_event_facet", "event", ["facet"])
    op.create_index("ix_event_request", "event", ["request_id"])
    for index, column in (("ix_event_session", "session"), ("ix_event_rated", "rated_request_id")):
        op.create_index(index, "event", [column], sqlite_where=sa.text(f"{column} IS NOT NULL"))
    op.execute(
        "CREATE VIRTUAL TABLE event_words USING fts5("
        "words, content='', columnsize=0, detail='none', tokenize=\"ascii tokenchars '_'\")"
    )


def _create_questions() -> None:
    op.create_table(
        "question_day",
        sa.Column("day", sa.Integer, primary_key=True),
        sa.Column("hash", sa.BigInteger, primary_key=True),
        *_integers("questions", "searches", "zero_hits", "missed"),
        sa.Column("last_key", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "question_floor", sa.Column("day", sa.Integer, primary_key=True), *_integers("floor")
    )


def _create_others() -> None:
    op.create_table(
        "batch",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("keys", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("holder", sa.String, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("until_us", "done_us")),
    )


def _create_gaps() -> None:
    op.create_table(
        "gap",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("centre", sa.LargeBinary, nullable=False),
        sa.Column("model_key", sa.String, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("answered_us", sa.BigInteger),
        *(sa.Column(name, sa.String) for name in ("source", "report")),
    )
    op.create_index("ix_gap_state", "gap", ["state"])
    op.create_table(
        "gap_question",
        sa.Column("hash", sa.BigInteger, primary_key=True, autoincrement=False),
        *_integers("gap"),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("collection", sa.String),
        *_integers("zero_hits", "low_scores", "thumbs_down", "refused"),
        sa.Column("last_us", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_gap_question_gap", "gap_question", ["gap"])


def _integers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


def _sums() -> list[sa.Column[int]]:
    big = {"input_tokens", "output_tokens", "cost_nano_usd"}
    kinds = {name: sa.BigInteger if name in big else sa.Integer for name in _SUMS}
    return [sa.Column(name, kind, nullable=False) for name, kind in kinds.items()]


def _words(columns: tuple[str, ...]) -> str:
    return ", ".join(f"coalesce({column}, 0)" for column in columns)


_OLD_TRAIT = (
    "coalesce(requested_model, 0), coalesce(assistant, 0), coalesce(finish_reason, 0), "
    "coalesce(stream + 1, 0), coalesce(usage_source, 0), coalesce(collection, 0), "
    "coalesce(mode, 0), coalesce(cause, 0), coalesce(top_k + 1, 0), 0, 0, 0"
)
_OLD_SUMS = (
    "events, zero_hits, 0, thumbs_up, thumbs_down, 0, 0, input_tokens, output_tokens, cost_nano_usd"
)
_SAME_FACET = " AND ".join(f"f.{name} = r.{name}" for name in _FACET)
_ADDED_UP = ", ".join(f"sum(r.{name})" for name in _SUMS)
# Our own names only: nothing of a caller's is in these statements.
_CARRY_OVER = (
    f"INSERT INTO facet ({', '.join(_FACET)}) SELECT {_words(_FACET)} FROM event_0001 "  # noqa: S608
    f"UNION SELECT {', '.join(_FACET)} FROM rollup_0001",
    f"INSERT INTO trait ({', '.join(_TRAIT)}) SELECT DISTINCT {_OLD_TRAIT} FROM event_0001",  # noqa: S608
    "INSERT INTO session (name, started_us, last_us, events, questions) "
    "SELECT s.id, s.started_us, s.last_us, count(e.seq), coalesce(sum(e.kind = 1), 0) "
    "FROM session_0001 AS s LEFT JOIN event_0001 AS e ON e.session_id = s.id GROUP BY s.id",
    f"INSERT INTO rollup (bucket, facet, {', '.join(_SUMS)}, durations, first_tokens) "  # noqa: S608
    f"SELECT r.bucket, f.id, {_OLD_SUMS}, durations, first_tokens "
    f"FROM rollup_0001 AS r JOIN facet AS f ON {_SAME_FACET}",
    f"INSERT INTO pulse (bucket, {', '.join(_SUMS)}, questions, searches, errors, sessions) "  # noqa: S608
    f"SELECT r.bucket, {_ADDED_UP}, sum(r.events * (f.kind = 1)), sum(r.events * (f.kind = 2)), "
    "sum(r.events * (f.error_type != 0 OR f.kind = 5)), 0 "
    "FROM rollup AS r JOIN facet AS f ON f.id = r.facet GROUP BY r.bucket",
    f"INSERT INTO pulse (bucket, {', '.join(_SUMS)}, questions, searches, errors, sessions) "  # noqa: S608
    "SELECT bucket, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, sessions FROM session_rollup WHERE true "
    "ON CONFLICT (bucket) DO UPDATE SET sessions = excluded.sessions",
    "INSERT INTO batch (events, keys) SELECT coalesce(sum(events), 0), x'' FROM pulse",
)
_OLD_EVENTS = f"""
SELECT e.*, f.id AS facet, t.id AS trait, s.id AS session, c.text AS cause_word
FROM event_0001 AS e
JOIN facet AS f ON ({", ".join(f"f.{name}" for name in _FACET)}) = ({_words(_FACET)})
JOIN trait AS t ON ({", ".join(f"t.{name}" for name in _TRAIT)}) = ({_OLD_TRAIT})
LEFT JOIN session AS s ON s.name = e.session_id
LEFT JOIN label AS c ON c.id = e.cause
ORDER BY e.time_us, e.seq
""".replace("coalesce(", "coalesce(e.")  # noqa: S608  # our own names
_NEW_EVENT = f"INSERT INTO event VALUES ({', '.join('?' * 19)})"  # noqa: S608  # our own names


def _move_events(connection: sa.Connection) -> None:
    """In the order of time; `key` is the time, and a number for those of one microsecond."""
    last = 0
    rows = connection.exec_driver_sql(_OLD_EVENTS)
    while some := rows.fetchmany(_CHUNK):
        events, words, asked = [], [], []
        for row in some:
            last = max(row.time_us << 10, last + 1)
            events.append(_new_row(row, last))
            if row.text is None:
                continue
            words.append((last, index_words(row.text, row.facet)))
            counts = counts_of(row.kind, row.cause_word, row.total_found)
            if counts is not None:
                day = row.time_us // _US_PER_DAY
                asked.append((day, hash_of(row.text), *counts, last))
        connection.exec_driver_sql(_NEW_EVENT, events)
        for statement, values in ((_WORDS, words), (_ASKED, summed(asked))):
            if values:
                connection.exec_driver_sql(statement, values)


_WORDS = "INSERT INTO event_words (rowid, words) VALUES (?, ?)"
_ASKED = """
INSERT INTO question_day (day, hash, questions, searches, zero_hits, missed, last_key)
VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)
ON CONFLICT (day, hash) DO UPDATE SET questions = questions + excluded.questions,
    searches = searches + excluded.searches, zero_hits = zero_hits + excluded.zero_hits,
    last_key = max(last_key, excluded.last_key)
"""


def _new_row(row: sa.Row[tuple[object, ...]], key: int) -> tuple[object, ...]:
    """In the order of the new table's columns."""
    visitor, rated = row.visitor_id, row.rated_request_id
    return (
        key,
        row.id,
        row.facet,
        row.trait,
        packed(row.request_id),
        row.session,
        packed(visitor) if visitor else None,
        row.input_tokens,
        row.output_tokens,
        row.cost_nano_usd,
        row.duration_us,
        row.first_token_us,
        row.total_found,
        row.top_score,
        row.rating,
        packed(rated) if rated else None,
        row.text,
        row.citations,
        row.extra,
    )


def _sum_days(connection: sa.Connection) -> None:
    """Days out of quarters of an hour: sums by SQL, histograms bin by bin."""
    histograms: dict[tuple[int, int], tuple[dict[int, int], dict[int, int]]]
    histograms = defaultdict(lambda: (defaultdict(int), defaultdict(int)))
    quarters = "SELECT bucket / 96, facet, durations, first_tokens FROM rollup"
    for day, facet, *blobs in connection.exec_driver_sql(quarters):
        for counts, blob in zip(histograms[day, facet], blobs, strict=True):
            for number, count in histogram.pairs(blob):
                counts[number] += count
    connection.exec_driver_sql(
        f"INSERT INTO rollup_day (day, facet, {', '.join(_SUMS)}, durations, first_tokens) "  # noqa: S608  # our own names
        f"SELECT bucket / 96, facet, {', '.join(f'sum({name})' for name in _SUMS)}, x'', x'' "
        "FROM rollup GROUP BY bucket / 96, facet"
    )
    rows = [(*map(histogram.encode, pair), *key) for key, pair in histograms.items()]
    if rows:
        update = "UPDATE rollup_day SET durations = ?, first_tokens = ? WHERE day = ? AND facet = ?"
        connection.exec_driver_sql(update, rows)
