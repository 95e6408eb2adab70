"""Documents' bytes in parts, so that nobody has to hold a big document whole."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contents",
        sa.Column(
            "document_id",
            sa.String,
            sa.ForeignKey("documents.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("part", sa.LargeBinary, nullable=False),
    )
    op.execute("INSERT INTO contents SELECT id, 0, content FROM documents")
    op.drop_column("documents", "content")


def downgrade() -> None:
    empty = sa.Column("content", sa.LargeBinary, nullable=False, server_default=sa.text("x''"))
    op.add_column("documents", empty)
    # Of a document in several parts the first is kept: it is to be ingested again.
    op.execute(
        "UPDATE documents SET content = "
        "(SELECT part FROM contents WHERE document_id = documents.id AND number = 0)"
    )
    op.drop_table("contents")
