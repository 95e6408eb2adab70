"""The tables of what the service notes about its own work, and nothing else."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, LargeBinary
from sqlmodel import Field

from services.analytics.models import AnalyticsTable


class Batch(AnalyticsTable, table=True):
    """The keys that one transaction stored, 8 bytes each, for those who watch records arrive; only
    the latest are kept. `events`: how many records there ever were."""

    __tablename__ = "batch"
    __table_args__ = ({"sqlite_autoincrement": True},)

    seq: int = Field(primary_key=True, sa_type=Integer)
    events: int = Field(sa_type=BigInteger)
    keys: bytes = Field(sa_type=LargeBinary)


class Cleanup(AnalyticsTable, table=True):
    """One cleanup. Events from before the latest `cutoff_us` are no longer taken in, since it can
    no longer be told whether they were counted already."""

    __tablename__ = "cleanup"

    id: int = Field(primary_key=True)
    ran_at_us: int = Field(sa_type=BigInteger)
    cutoff_us: int = Field(sa_type=BigInteger)
    deleted: int


class Lease(AnalyticsTable, table=True):
    """Who does a job that one instance at a time may do, until when, and when it was last done."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True)
    holder: str
    until_us: int = Field(sa_type=BigInteger)
    done_us: int = Field(sa_type=BigInteger)
