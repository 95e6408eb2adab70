"""The embedding model that made a collection's vectors, in full."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("model", sa.JSON, nullable=False, server_default="{}")
    op.add_column("collections", column)


def downgrade() -> None:
    op.drop_column("collections", "model")
