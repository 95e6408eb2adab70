"""Translations of poems in the database. Each call runs in its caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import uuid_utils
from sqlalchemy import Connection, delete, insert, select, update

from services.kb.models import now
from services.kb.poems import poem, stale
from services.kb.poems.schemas import NewTranslation, TranslationsQuery, TranslationView
from services.kb.poems.tables import TRANSLATIONS
from services.kb.poems.task import stored_for
from services.kernel.errors import NotFound


def page(connection: Connection, poem_id: str, query: TranslationsQuery) -> list[TranslationView]:
    """Translations of a poem, newest first. Raises NotFound."""
    poem.get(connection, poem_id)
    c = TRANSLATIONS.c
    statement = select(TRANSLATIONS).where(c.poem_id == poem_id).order_by(c.id.desc())
    if query.target_lang is not None:
        statement = statement.where(c.target_lang == query.target_lang)
    rows = connection.execute(statement.offset(query.skip).limit(query.limit))
    return [TranslationView.model_validate(row._mapping) for row in rows]


def get(connection: Connection, poem_id: str, translation_id: str) -> TranslationView:
    """Raises NotFound."""
    c = TRANSLATIONS.c
    query = select(TRANSLATIONS).where(c.id == translation_id, c.poem_id == poem_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("This poem has no such translation.", param="translation_id")
    return TranslationView.model_validate(row._mapping)


def create(connection: Connection, poem_id: str, new: NewTranslation) -> TranslationView:
    """The translation; what its task has left already, if so. Raises NotFound and Conflict."""
    poem.get(connection, poem_id)
    translation_id = stored_for(connection, TRANSLATIONS, poem_id, new.task_id)
    if translation_id is not None:
        return get(connection, poem_id, translation_id)
    translation_id = uuid_utils.uuid7().hex
    time = now()
    values = {"id": translation_id, "poem_id": poem_id, "created_at": time, "updated_at": time}
    connection.execute(insert(TRANSLATIONS).values(**values, **new.model_dump()))
    stale.mark(connection, poem_id, translation_id)
    return get(connection, poem_id, translation_id)


def change(
    connection: Connection, poem_id: str, translation_id: str, values: Mapping[str, Any]
) -> TranslationView:
    """Sets columns. Raises NotFound."""
    get(connection, poem_id, translation_id)
    if values:
        changed = update(TRANSLATIONS).where(TRANSLATIONS.c.id == translation_id)
        connection.execute(changed.values(**values, updated_at=now()))
        stale.mark(connection, poem_id, translation_id)
    return get(connection, poem_id, translation_id)


def remove(connection: Connection, poem_id: str, translation_id: str) -> str:
    """Deletes a translation; returns its document's source. Raises NotFound."""
    get(connection, poem_id, translation_id)
    connection.execute(delete(TRANSLATIONS).where(TRANSLATIONS.c.id == translation_id))
    return stale.mark(connection, poem_id, translation_id)
