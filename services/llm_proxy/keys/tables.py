"""The tables of llm_proxy's database. Times are text, RFC 3339 in UTC; a null limit is none.

SQLAlchemy's core alone: the gateway reads them into memory and has no use for an ORM's objects.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

METADATA = MetaData()

# A virtual key is known by its digest alone, a provider's by its ciphertext alone.
KEYS = Table(
    "keys",
    METADATA,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),  # application, publishable or provider
    Column("name", String, nullable=False),
    Column("hint", String, nullable=False),  # the first and the last characters
    Column("digest", String, unique=True),
    Column("old_digest", String, unique=True),  # of the one before, until `old_until`
    Column("old_until", String),
    Column("ciphertext", LargeBinary),
    Column("provider", String),
    Column("models", JSON, nullable=False),
    Column("origins", JSON, nullable=False),
    Column("assistant", String),
    Column("requests_per_minute", Integer),
    Column("tokens_per_minute", Integer),
    Column("concurrent", Integer),
    Column("daily_budget_usd", Float),
    Column("monthly_budget_usd", Float),
    Column("visitor_requests_per_minute", Integer),
    Column("created_at", String, nullable=False),
    Column("last_used_at", String),
    Column("expires_at", String),
    Column("revoked_at", String),
)

SPENDING = Table(
    "spending",
    METADATA,
    Column("key_id", ForeignKey("keys.id", ondelete="CASCADE"), primary_key=True),
    Column("day", String, primary_key=True),  # 2026-11-22, UTC
    Column("calls", Integer, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cost_usd", Float, nullable=False),
)
