"""The tables of poems, which are the truth; the documents of the collection `poems` are made of
them. Times as in `services.kb.models`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, UniqueConstraint
from sqlmodel import Field

from services.kb.models import KbTable, now


def _poem() -> Any:
    return Column(ForeignKey("poems.id", ondelete="CASCADE"), nullable=False, index=True)


class Poem(KbTable, table=True):
    """A poem in the language it was written in; `metadata` is the owner's own, as its source."""

    __tablename__ = "poems"

    id: str = Field(primary_key=True)
    title: str
    author: str
    source_lang: str
    original_text: str
    is_selected: bool = False
    attributes: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column("metadata", JSON, nullable=False)
    )
    created_at: str = Field(default_factory=now)
    updated_at: str = Field(default_factory=now)


class Translation(KbTable, table=True):
    """A translation by a model (`ai`) or a person (`human`), and what making it took. `task_id` is
    the workflow's task, of which there is one result at most; what is not known is null."""

    __tablename__ = "translations"

    id: str = Field(primary_key=True)
    poem_id: str = Field(sa_column=_poem())
    target_lang: str
    translated_title: str
    translated_author: str
    translated_text: str
    translator_type: str
    translator: str
    notes: str
    quality_rating: int | None = None
    task_id: str | None = Field(default=None, unique=True)
    workflow: str
    mode: str
    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    seconds: float | None = None
    created_at: str = Field(default_factory=now)
    updated_at: str = Field(default_factory=now)


class Briefing(KbTable, table=True):
    """A background report on a poem: `content` is a JSON object, kept as text."""

    __tablename__ = "briefings"

    id: str = Field(primary_key=True)
    poem_id: str = Field(sa_column=_poem())
    content: str
    task_id: str | None = Field(default=None, unique=True)
    workflow: str
    mode: str
    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    seconds: float | None = None
    created_at: str = Field(default_factory=now)


class StalePoem(KbTable, table=True):
    """A poem, or one translation of it, whose document is not what these tables say. It outlives
    the poem, so that the document of a deleted one goes, too; a new change is a new row."""

    __tablename__ = "stale_poems"
    __table_args__ = (UniqueConstraint("poem_id", "translation_id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    poem_id: str
    translation_id: str = ""
    attempts: int = 0


POEMS = KbTable.metadata.tables["poems"]
TRANSLATIONS = KbTable.metadata.tables["translations"]
BRIEFINGS = KbTable.metadata.tables["briefings"]
STALE_POEMS = KbTable.metadata.tables["stale_poems"]
