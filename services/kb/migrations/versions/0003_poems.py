"""Poems, their translations and briefings."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_poems()
    _create_translations()
    _create_briefings()
    op.create_table(
        "stale_poems",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("poem_id"),
        _text("translation_id"),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.UniqueConstraint("poem_id", "translation_id"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    for table in ("stale_poems", "briefings", "translations", "poems"):
        op.drop_table(table)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=False)


def _key() -> sa.Column[str]:
    return sa.Column("id", sa.String, primary_key=True)


def _poem() -> sa.Column[str]:
    key = sa.ForeignKey("poems.id", ondelete="CASCADE")
    return sa.Column("poem_id", sa.String, key, nullable=False)


def _making() -> list[sa.Column[Any]]:
    """How a result came to be."""
    return [
        sa.Column("task_id", sa.String, unique=True),
        _text("workflow"),
        _text("mode"),
        _text("model"),
        sa.Column("input_tokens", sa.Integer),
        sa.Column("output_tokens", sa.Integer),
        sa.Column("cost_usd", sa.Float),
        sa.Column("seconds", sa.Float),
        _text("created_at"),
    ]


def _create_poems() -> None:
    op.create_table(
        "poems",
        _key(),
        _text("title"),
        _text("author"),
        _text("source_lang"),
        _text("original_text"),
        sa.Column("is_selected", sa.Boolean, nullable=False),
        sa.Column("metadata", sa.JSON, nullable=False),
        _text("created_at"),
        _text("updated_at"),
    )


def _create_translations() -> None:
    op.create_table(
        "translations",
        _key(),
        _poem(),
        _text("target_lang"),
        _text("translated_title"),
        _text("translated_author"),
        _text("translated_text"),
        _text("translator_type"),
        _text("translator"),
        _text("notes"),
        sa.Column("quality_rating", sa.Integer),
        *_making(),
        _text("updated_at"),
    )
    op.create_index("ix_translations_poem_id", "translations", ["poem_id"])


def _create_briefings() -> None:
    op.create_table("briefings", _key(), _poem(), _text("content"), *_making())
    op.create_index("ix_briefings_poem_id", "briefings", ["poem_id"])
