"""The first tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_collections()
    _create_documents()
    _create_chunks()
    _create_index_queues()
    _create_jobs()


def downgrade() -> None:
    for collection in op.get_bind().execute(sa.text("SELECT id FROM collections")).scalars():
        op.execute(f"DROP TABLE IF EXISTS terms_{collection:d}_words")
        op.execute(f"DROP TABLE IF EXISTS terms_{collection:d}")
    for table in (
        "job_files",
        "jobs",
        "tombstones",
        "pending",
        "vectors",
        "chunks",
        "documents",
        "collections",
    ):
        op.drop_table(table)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _owner(table: str, *, primary_key: bool = False) -> sa.Column[Any]:
    kind = sa.Integer if table in ("collections", "chunks") else sa.String
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(f"{table[:-1]}_id", kind, key, nullable=False, primary_key=primary_key)


def _create_collections() -> None:
    op.create_table(
        "collections",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        _text("index_name"),
        _text("model_key"),
        _text("model_name"),
        _text("created_at"),
        sqlite_autoincrement=True,
    )


def _create_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.String, primary_key=True),
        _owner("collections"),
        _text("source"),
        _text("title"),
        _text("url"),
        _text("lang"),
        _text("media_type"),
        _text("content_hash"),
        _number("size_bytes"),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("metadata", sa.JSON, nullable=False),
        _text("created_at"),
        _text("updated_at"),
        sa.UniqueConstraint("collection_id", "source"),
    )
    op.create_index("ix_documents_collection_id", "documents", ["collection_id"])


def _create_chunks() -> None:
    op.create_table(
        "chunks",
        sa.Column("id", sa.Integer, primary_key=True),
        _owner("documents"),
        _owner("collections"),
        _number("position"),
        _text("anchor"),
        sa.Column("heading_path", sa.JSON, nullable=False),
        _text("lang"),
        _text("heading"),
        _text("text"),
        _text("text_hash"),
        _number("tokens"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_chunks_collection_id", "chunks", ["collection_id"])
    op.create_index("ix_chunks_document_id", "chunks", ["document_id"])


def _create_index_queues() -> None:
    op.create_table(
        "vectors",
        _owner("chunks", primary_key=True),
        _text("model_key"),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )
    op.create_table("pending", _owner("chunks", primary_key=True), _number("attempts"))
    op.create_table(
        "tombstones",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("index_name"),
        sa.Column("chunk_id", sa.Integer),
    )


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String, primary_key=True),
        *map(_text, ("kind", "collection", "state", "error")),
        *map(_number, ("total", "done")),
        *map(_text, ("created_at", "updated_at")),
    )
    op.create_table(
        "job_files",
        _owner("jobs", primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        *map(_text, ("source", "url", "spool", "state", "error", "document_id")),
    )
    op.create_index("job_files_waiting", "job_files", ["state", "job_id"])
