"""The tables, and nothing else.

Rows are narrow on purpose: words that repeat (services, models, reasons) are numbers that point
into `label`, times are microseconds since 1970 in UTC, money is nano-dollars, so that sums are
exact and a record takes little room. 0 stands for "no label" in keys, where NULL cannot.
"""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, MetaData, SmallInteger, Table
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

BUCKET_SECONDS = 900
BUCKET_US = BUCKET_SECONDS * 1_000_000


class Kind(IntEnum):
    """What an event tells of; the number is what the database holds."""

    chat = 1
    search = 2
    feedback = 3
    workflow = 4
    error = 5


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


class Event(AnalyticsTable, table=True):
    """One record: what happened, once. `seq` rises in the order of arrival, over all instances."""

    __tablename__ = "event"
    # AUTOINCREMENT: a number is never used again, so that a reader can go on after the last one.
    __table_args__ = (
        Index("ix_event_time", "time_us"),
        Index("ix_event_session", "session_id", sqlite_where=sql("session_id IS NOT NULL")),
        Index("ix_event_request", "request_id"),
        {"sqlite_autoincrement": True},
    )

    seq: int = Field(primary_key=True, sa_type=Integer)
    id: bytes = Field(sa_type=LargeBinary, unique=True)
    time_us: int = Field(sa_type=BigInteger)
    kind: int = Field(sa_type=SmallInteger)
    request_id: str
    session_id: str | None = None
    visitor_id: str | None = None
    service: int
    provider: int | None = None
    model: int | None = None
    requested_model: int | None = None
    assistant: int | None = None
    status: int | None = None
    error_type: int | None = None
    end_reason: int | None = None
    finish_reason: int | None = None
    stream: bool | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    usage_source: int | None = None
    cost_nano_usd: int | None = Field(default=None, sa_type=BigInteger)
    duration_us: int | None = Field(default=None, sa_type=BigInteger)
    first_token_us: int | None = Field(default=None, sa_type=BigInteger)
    collection: int | None = None
    mode: int | None = None
    cause: int | None = None
    top_k: int | None = None
    total_found: int | None = None
    top_score: float | None = None
    rating: int | None = Field(default=None, sa_type=SmallInteger)
    rated_request_id: str | None = None
    text: str | None = None
    citations: str | None = None
    extra: str | None = None


class Rollup(AnalyticsTable, table=True):
    """Sums over a quarter of an hour in UTC; they stay when a cleanup takes the records.

    `bucket` is the number of quarters since 1970. Histograms are sparse (see histogram.py).
    """

    __tablename__ = "rollup"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bucket: int = Field(primary_key=True)
    kind: int = Field(primary_key=True)
    service: int = Field(primary_key=True)
    provider: int = Field(primary_key=True)
    model: int = Field(primary_key=True)
    status: int = Field(primary_key=True)
    error_type: int = Field(primary_key=True)
    end_reason: int = Field(primary_key=True)
    events: int
    zero_hits: int
    thumbs_up: int
    thumbs_down: int
    input_tokens: int = Field(sa_type=BigInteger)
    output_tokens: int = Field(sa_type=BigInteger)
    cost_nano_usd: int = Field(sa_type=BigInteger)
    durations: bytes = Field(sa_type=LargeBinary)
    first_tokens: bytes = Field(sa_type=LargeBinary)


class Session(AnalyticsTable, table=True):
    """A conversation, from its first event to its last one so far."""

    __tablename__ = "session"
    __table_args__ = (Index("ix_session_last", "last_us"), {"sqlite_with_rowid": False})

    id: str = Field(primary_key=True)
    started_us: int = Field(sa_type=BigInteger)
    last_us: int = Field(sa_type=BigInteger)


class SessionRollup(AnalyticsTable, table=True):
    """How many conversations began in a quarter of an hour."""

    __tablename__ = "session_rollup"

    bucket: int = Field(primary_key=True)
    sessions: int


class Cleanup(AnalyticsTable, table=True):
    """One cleanup. Events from before the latest `cutoff_us` are no longer taken in, since it can
    no longer be told whether they were counted already."""

    __tablename__ = "cleanup"

    id: int = Field(primary_key=True)
    ran_at_us: int = Field(sa_type=BigInteger)
    cutoff_us: int = Field(sa_type=BigInteger)
    deleted: int
