"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_event()
    _create_rollup()
    _create_session()
    op.create_table(
        "label",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("text", sa.String, nullable=False, unique=True),
    )
    op.create_table(
        "cleanup",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("ran_at_us", sa.BigInteger, nullable=False),
        sa.Column("cutoff_us", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    for table in ("cleanup", "label", "session_rollup", "session", "rollup", "event"):
        op.drop_table(table)


def _create_event() -> None:
    op.create_table(
        "event",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("id", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("time_us", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("request_id", sa.String, nullable=False),
        sa.Column("session_id", sa.String),
        sa.Column("visitor_id", sa.String),
        sa.Column("service", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Integer) for name in ("provider", "model", "requested_model")),
        *(sa.Column(name, sa.Integer) for name in ("assistant", "status", "error_type")),
        *(sa.Column(name, sa.Integer) for name in ("end_reason", "finish_reason")),
        sa.Column("stream", sa.Boolean),
        *(sa.Column(name, sa.Integer) for name in ("input_tokens", "output_tokens")),
        sa.Column("usage_source", sa.Integer),
        *(sa.Column(name, sa.BigInteger) for name in ("cost_nano_usd", "duration_us")),
        sa.Column("first_token_us", sa.BigInteger),
        *(sa.Column(name, sa.Integer) for name in ("collection", "mode", "cause")),
        *(sa.Column(name, sa.Integer) for name in ("top_k", "total_found")),
        sa.Column("top_score", sa.Float),
        sa.Column("rating", sa.SmallInteger),
        *(sa.Column(name, sa.String) for name in ("rated_request_id", "text")),
        *(sa.Column(name, sa.String) for name in ("citations", "extra")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_time", "event", ["time_us"])
    op.create_index("ix_event_request", "event", ["request_id"])
    has_session = sa.text("session_id IS NOT NULL")
    op.create_index("ix_event_session", "event", ["session_id"], sqlite_where=has_session)


def _create_rollup() -> None:
    keys = ("bucket", "kind", "service", "provider", "model", "status", "error_type", "end_reason")
    counts = ("events", "zero_hits", "thumbs_up", "thumbs_down")
    sums = ("input_tokens", "output_tokens", "cost_nano_usd")
    op.create_table(
        "rollup",
        *(sa.Column(name, sa.Integer, primary_key=True) for name in keys),
        *(sa.Column(name, sa.Integer, nullable=False) for name in counts),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in sums),
        *(sa.Column(n, sa.LargeBinary, nullable=False) for n in ("durations", "first_tokens")),
        sqlite_with_rowid=False,
    )


def _create_session() -> None:
    op.create_table(
        "session",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("started_us", sa.BigInteger, nullable=False),
        sa.Column("last_us", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_session_last", "session", ["last_us"])
    op.create_table(
        "session_rollup",
        sa.Column("bucket", sa.Integer, primary_key=True),
        sa.Column("sessions", sa.Integer, nullable=False),
    )
