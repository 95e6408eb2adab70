"""The tables of gaps and intents, and nothing else."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlmodel import Field

from services.analytics.models import AnalyticsTable


class Gap(AnalyticsTable, table=True):
    """Questions that mean the same and were not answered.

    `state`: open, answering, answered or failed. `report`: JSON, what the replay found.
    """

    __tablename__ = "gap"
    __table_args__ = (Index("ix_gap_state", "state"),)

    id: int = Field(primary_key=True)
    state: str
    centre: bytes = Field(sa_type=LargeBinary)
    model_key: str
    created_us: int = Field(sa_type=BigInteger)
    answered_us: int | None = Field(default=None, sa_type=BigInteger)
    source: str | None = None
    report: str | None = None


class GapQuestion(AnalyticsTable, table=True):
    """A question of a gap, redacted, with how often and why it is there."""

    __tablename__ = "gap_question"
    __table_args__ = (Index("ix_gap_question_gap", "gap"),)

    hash: int = Field(primary_key=True, sa_type=BigInteger)
    gap: int
    text: str
    collection: str | None = None
    zero_hits: int
    low_scores: int
    thumbs_down: int
    refused: int
    last_us: int = Field(sa_type=BigInteger)


class Intent(AnalyticsTable, table=True):
    """How many questions of a quarter of an hour were about what (see intents.py)."""

    __tablename__ = "intent"
    __table_args__ = ({"sqlite_with_rowid": False},)

    bucket: int = Field(primary_key=True)
    name: str = Field(primary_key=True)
    questions: int
