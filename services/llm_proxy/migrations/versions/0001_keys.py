"""Keys and what they have spent."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "keys",
        sa.Column("id", sa.String, primary_key=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("kind", "name", "hint")),
        sa.Column("digest", sa.String, unique=True),
        sa.Column("old_digest", sa.String, unique=True),
        sa.Column("old_until", sa.String),
        sa.Column("ciphertext", sa.LargeBinary),
        sa.Column("provider", sa.String),
        sa.Column("models", sa.JSON, nullable=False),
        sa.Column("origins", sa.JSON, nullable=False),
        sa.Column("assistant", sa.String),
        sa.Column("requests_per_minute", sa.Integer),
        sa.Column("tokens_per_minute", sa.Integer),
        sa.Column("concurrent", sa.Integer),
        sa.Column("daily_budget_usd", sa.Float),
        sa.Column("monthly_budget_usd", sa.Float),
        sa.Column("visitor_requests_per_minute", sa.Integer),
        sa.Column("created_at", sa.String, nullable=False),
        *(sa.Column(name, sa.String) for name in ("last_used_at", "expires_at", "revoked_at")),
    )
    op.create_table(
        "spending",
        sa.Column(
            "key_id", sa.String, sa.ForeignKey("keys.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("day", sa.String, primary_key=True),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("calls", "input_tokens", "output_tokens")
        ),
        sa.Column("cost_usd", sa.Float, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("spending")
    op.drop_table("keys")
