"""Poems in the database. Each call runs in its caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import uuid_utils
from sqlalchemy import Connection, Select, delete, func, insert, or_, select, update

from services.kb.models import now
from services.kb.poems import stale
from services.kb.poems.schemas import NewPoem, PoemsQuery, PoemView
from services.kb.poems.tables import BRIEFINGS, POEMS, TRANSLATIONS
from services.kernel.errors import NotFound


def page(connection: Connection, query: PoemsQuery) -> list[PoemView]:
    """Poems that the filters let through, newest first: their ids grow with time."""
    c = POEMS.c
    statement = _shown().order_by(c.id.desc()).offset(query.skip).limit(query.limit)
    if query.search:
        words = (c.title, c.author, c.original_text)
        statement = statement.where(or_(*(_holds(column, query.search) for column in words)))
    if query.author:
        statement = statement.where(_holds(c.author, query.author))
    if query.source_lang is not None:
        statement = statement.where(c.source_lang == query.source_lang)
    if query.is_selected is not None:
        statement = statement.where(c.is_selected == query.is_selected)
    return [PoemView.model_validate(row._mapping) for row in connection.execute(statement)]


def _holds(column: Any, part: str) -> Any:
    return column.icontains(part, autoescape=True)


def _shown() -> Select[Any]:
    translations = select(func.count()).where(TRANSLATIONS.c.poem_id == POEMS.c.id)
    newest = select(func.max(BRIEFINGS.c.id)).where(BRIEFINGS.c.poem_id == POEMS.c.id)
    return select(
        POEMS,
        translations.scalar_subquery().label("translation_count"),
        newest.scalar_subquery().label("briefing_id"),
    )


def get(connection: Connection, poem_id: str) -> PoemView:
    """Raises NotFound."""
    row = connection.execute(_shown().where(POEMS.c.id == poem_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such poem.", param="poem_id")
    return PoemView.model_validate(row._mapping)


def create(connection: Connection, new: NewPoem) -> PoemView:
    poem_id = uuid_utils.uuid7().hex
    time = now()
    connection.execute(
        insert(POEMS).values(id=poem_id, created_at=time, updated_at=time, **new.model_dump())
    )
    stale.mark(connection, poem_id)
    return get(connection, poem_id)


def change(connection: Connection, poem_id: str, values: Mapping[str, Any]) -> PoemView:
    """Sets columns. Raises NotFound."""
    get(connection, poem_id)
    if values:
        changed = update(POEMS).where(POEMS.c.id == poem_id)
        connection.execute(changed.values(**values, updated_at=now()))
        stale.mark_all(connection, poem_id)
    return get(connection, poem_id)


def remove(connection: Connection, poem_id: str) -> list[str]:
    """Deletes a poem with its translations and briefings; returns its documents' sources. Raises
    NotFound."""
    get(connection, poem_id)
    sources = stale.mark_all(connection, poem_id)
    connection.execute(delete(POEMS).where(POEMS.c.id == poem_id))
    return sources
