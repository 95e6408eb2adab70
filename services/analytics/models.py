"""The tables, and nothing else.

Rows are narrow on purpose. Words that repeat (services, models, reasons) are numbers that point
into `label`; the combinations in which they occur are few, so a record holds the number of its
combination (`facet`: what pages filter by; `trait`: the rest). Times are microseconds since 1970 in
UTC, money is nano-dollars, so that sums are exact. 0 stands for "no label" in keys, where NULL
cannot. docs/decisions/0030 and 0031 say why, with figures.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.types import NullType
from sqlmodel import Field, SQLModel

BUCKET_SECONDS = 900
BUCKET_US = BUCKET_SECONDS * 1_000_000
BUCKETS_PER_DAY = 86_400 // BUCKET_SECONDS
KEY_BITS = 10  # of a record's key that tell records of one microsecond apart


class Kind(IntEnum):
    """What an event tells of; the number is what the database holds."""

    chat = 1
    search = 2
    feedback = 3
    workflow = 4
    error = 5
    embedding = 6


class AnalyticsTable(SQLModel):
    """Keeps these tables apart from those of other services."""

    metadata = MetaData()


def table(model: type[AnalyticsTable]) -> Table:
    """The Core table behind a model: bulk statements need no object a row."""
    return AnalyticsTable.metadata.tables[str(model.__tablename__)]


class Label(AnalyticsTable, table=True):
    """A word that repeats."""

    __tablename__ = "label"

    id: int = Field(primary_key=True)
    text: str = Field(unique=True)


FACET_COLUMNS = ("kind", "service", "provider", "model", "status", "error_type", "end_reason")
TRAIT_COLUMNS = (
    "requested_model",
    "assistant",
    "finish_reason",
    "stream",
    "usage_source",
    "collection",
    "mode",
    "cause",
    "top_k",
    "fallback_from",
    "attempts",
    "cache",
)


class Facet(AnalyticsTable, table=True):
    """A combination of what records are filtered and counted by; never changed, never deleted."""

    __tablename__ = "facet"
    __table_args__ = (UniqueConstraint(*FACET_COLUMNS),)

    id: int = Field(primary_key=True)
    kind: int
    service: int
    provider: int
    model: int
    status: int
    error_type: int
    end_reason: int


class Trait(AnalyticsTable, table=True):
    """A combination of what else repeats; 0 where there is nothing (`stream`: 1 no, 2 yes; numbers
    are one more than they say)."""

    __tablename__ = "trait"
    __table_args__ = (UniqueConstraint(*TRAIT_COLUMNS),)

    id: int = Field(primary_key=True)
    requested_model: int
    assistant: int
    finish_reason: int
    stream: int
    usage_source: int
    collection: int
    mode: int
    cause: int
    top_k: int
    fallback_from: int
    attempts: int
    cache: int


class Event(AnalyticsTable, table=True):
    """One record: what happened, once.

    `key` is its time: microseconds · 1024, plus a number that tells those of one microsecond apart.
    So the table lies in the order of time, and each index, which ends with the key, does too.
    `request_id`, `rated_request_id`, `visitor_id`: 16 or 12 bytes where they are hexadecimal, else
    text (see identifier.py).
    """

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_facet", "facet"),
        Index("ix_event_session", "session", sqlite_where=sql("session IS NOT NULL")),
        Index("ix_event_request", "request_id"),
        Index(
            "ix_event_rated", "rated_request_id", sqlite_where=sql("rated_request_id IS NOT NULL")
        ),
    )

    key: int = Field(primary_key=True, sa_type=Integer)
    id: bytes = Field(sa_type=LargeBinary, unique=True)
    facet: int
    trait: int
    request_id: Any = Field(sa_type=NullType, nullable=False)
    session: int | None = None
    visitor_id: Any = Field(default=None, sa_type=NullType, nullable=True)
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_nano_usd: int | None = Field(default=None, sa_type=BigInteger)
    duration_us: int | None = Field(default=None, sa_type=BigInteger)
    first_token_us: int | None = Field(default=None, sa_type=BigInteger)
    total_found: int | None = None
    top_score: float | None = None
    rating: int | None = Field(default=None, sa_type=SmallInteger)
    rated_request_id: Any = Field(default=None, sa_type=NullType, nullable=True)
    text: str | None = None
    citations: str | None = None
    extra: str | None = None


class Answer(AnalyticsTable, table=True):
    """What was answered, redacted, where TRIVET_STORE_ANSWERS says so; `key` is the record's.

    Apart from the records, since it is long and only read when a conversation is opened.
    """

    __tablename__ = "answer"

    key: int = Field(primary_key=True, sa_type=Integer)
    text: str


class _Sums(SQLModel):
    """What is added up."""

    events: int
    zero_hits: int
    low_scores: int
    thumbs_up: int
    thumbs_down: int
    fallbacks: int
    cache_hits: int
    input_tokens: int = Field(sa_type=BigInteger)
    output_tokens: int = Field(sa_type=BigInteger)
    cost_nano_usd: int = Field(sa_type=BigInteger)


SUM_COLUMNS = tuple(_Sums.model_fields)


class Rollup(_Sums, AnalyticsTable, table=True):
    """Sums over a quarter of an hour in UTC; they stay when a cleanup takes the records.

    `bucket` is the number of quarters since 1970. Histograms are sparse (see histogram.py).
    """

    __tablename__ = "rollup"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bucket: int = Field(primary_key=True)
    facet: int = Field(primary_key=True)
    durations: bytes = Field(sa_type=LargeBinary)
    first_tokens: bytes = Field(sa_type=LargeBinary)


class RollupDay(_Sums, AnalyticsTable, table=True):
    """The same over days of UTC (`day`: their number since 1970), so that a month is few rows."""

    __tablename__ = "rollup_day"
    __table_args__ = ({"sqlite_with_rowid": False},)

    day: int = Field(primary_key=True)
    facet: int = Field(primary_key=True)
    durations: bytes = Field(sa_type=LargeBinary)
    first_tokens: bytes = Field(sa_type=LargeBinary)


class Pulse(_Sums, AnalyticsTable, table=True):
    """The sums of a quarter of an hour over all facets: what a curve is drawn from."""

    __tablename__ = "pulse"

    bucket: int = Field(primary_key=True)
    questions: int
    searches: int
    errors: int
    sessions: int = Field(description="Conversations that began.")


PULSE_COLUMNS = (*SUM_COLUMNS, "questions", "searches", "errors", "sessions")


class Session(AnalyticsTable, table=True):
    """A conversation, from its first event to its last one so far."""

    __tablename__ = "session"
    __table_args__ = (Index("ix_session_last", "last_us"),)

    id: int = Field(primary_key=True)
    name: str = Field(unique=True)
    started_us: int = Field(sa_type=BigInteger)
    last_us: int = Field(sa_type=BigInteger)
    events: int
    questions: int


class QuestionDay(AnalyticsTable, table=True):
    """How often a text was asked on a day of UTC: the most frequent ones of each day.

    `hash` is that of the text, which is read from the record `last_key`. `missed`: what it may have
    been asked before it was counted (see questions.py).
    """

    __tablename__ = "question_day"
    __table_args__ = ({"sqlite_with_rowid": False},)

    day: int = Field(primary_key=True)
    hash: int = Field(primary_key=True, sa_type=BigInteger)
    questions: int
    searches: int
    zero_hits: int
    missed: int
    last_key: int = Field(sa_type=BigInteger)


class QuestionFloor(AnalyticsTable, table=True):
    """The most that a text which is not counted for a day may have been asked on it."""

    __tablename__ = "question_floor"

    day: int = Field(primary_key=True)
    floor: int
