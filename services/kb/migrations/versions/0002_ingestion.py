"""What ingestion needs: search keys of collections, recipes and revisions of documents."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add_number("collections", "open")
    _add_number("collections", "unclean")
    op.execute("UPDATE collections SET open = 1 WHERE name = 'site'")
    _create_collection_keys()
    op.add_column("documents", sa.Column("recipe", sa.String, nullable=False, server_default=""))
    _add_number("documents", "revision")
    _add_number("chunks", "revision")
    op.create_index("chunks_by_text", "chunks", ["document_id", "text_hash"])
    op.drop_index("ix_chunks_document_id", "chunks")


def downgrade() -> None:
    op.create_index("ix_chunks_document_id", "chunks", ["document_id"])
    op.drop_index("chunks_by_text", "chunks")
    op.drop_column("chunks", "revision")
    op.drop_column("documents", "revision")
    op.drop_column("documents", "recipe")
    op.drop_table("collection_keys")
    op.drop_column("collections", "unclean")
    op.drop_column("collections", "open")


def _add_number(table: str, name: str) -> None:
    op.add_column(table, sa.Column(name, sa.Integer, nullable=False, server_default="0"))


def _create_collection_keys() -> None:
    op.create_table(
        "collection_keys",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column(
            "collection_id",
            sa.Integer,
            sa.ForeignKey("collections.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("key_hash", sa.String, nullable=False, unique=True),
        sa.Column("hint", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
    )
    op.create_index("ix_collection_keys_collection_id", "collection_keys", ["collection_id"])
