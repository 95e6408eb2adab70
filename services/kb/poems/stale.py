"""Which poems and translations are to be indexed anew, or forgotten by the index."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, literal, select, union_all, update

from services.kb import catalogue
from services.kb.models import DOCUMENTS
from services.kb.poems.tables import POEMS, STALE_POEMS, TRANSLATIONS

MAX_ATTEMPTS = 5


@dataclass(frozen=True)
class Stale:
    """A poem, or one translation of it where that has an id; `number` tells one change of it from
    the next."""

    number: int
    poem_id: str
    translation_id: str

    @property
    def source(self) -> str:
        return source_of(self.poem_id, self.translation_id)


def source_of(poem_id: str, translation_id: str = "") -> str:
    """The source of the document that a poem or a translation is in the index."""
    return f"poems/{poem_id}/{translation_id}.txt" if translation_id else f"poems/{poem_id}.txt"


def mark(connection: Connection, poem_id: str, translation_id: str = "") -> str:
    """Says that something has changed; whoever works on an older change does not end this one.
    Returns the source of its document."""
    c = STALE_POEMS.c
    connection.execute(
        delete(STALE_POEMS).where(c.poem_id == poem_id, c.translation_id == translation_id)
    )
    connection.execute(
        insert(STALE_POEMS).values(poem_id=poem_id, translation_id=translation_id, attempts=0)
    )
    return source_of(poem_id, translation_id)


def mark_all(connection: Connection, poem_id: str) -> list[str]:
    """Marks a poem and its translations, whose documents name the poem, too."""
    of_poem = select(TRANSLATIONS.c.id).where(TRANSLATIONS.c.poem_id == poem_id)
    ids = connection.execute(of_poem).scalars().all()
    return [mark(connection, poem_id, translation_id) for translation_id in ("", *ids)]


def strays(connection: Connection, recipe: str) -> list[tuple[str, str]]:
    """(poem, translation or nothing) of what has no document whose recipe begins so: a changed way
    of cutting, or a document that was deleted by hand."""
    collection = catalogue.find(connection, catalogue.POEMS_COLLECTION)
    d = DOCUMENTS.c
    current = select(d.source).where(
        d.collection_id == collection.id, d.recipe.startswith(recipe, autoescape=True)
    )
    known = set(connection.execute(current).scalars())
    poems = select(POEMS.c.id, literal(""))
    every = union_all(poems, select(TRANSLATIONS.c.poem_id, TRANSLATIONS.c.id))
    rows = [(str(poem_id), str(other)) for poem_id, other in connection.execute(every)]
    return [row for row in rows if source_of(*row) not in known]


def first(connection: Connection) -> Stale | None:
    """The one that has waited longest, of those that failed least."""
    c = STALE_POEMS.c
    query = select(c.id, c.poem_id, c.translation_id).where(c.attempts < MAX_ATTEMPTS)
    row = connection.execute(query.order_by(c.attempts, c.id).limit(1)).one_or_none()
    return None if row is None else Stale(*row)


def done(connection: Connection, entry: Stale) -> None:
    connection.execute(delete(STALE_POEMS).where(STALE_POEMS.c.id == entry.number))


def failed(connection: Connection, entry: Stale) -> None:
    c = STALE_POEMS.c
    counted = update(STALE_POEMS).where(c.id == entry.number)
    connection.execute(counted.values(attempts=c.attempts + 1))
