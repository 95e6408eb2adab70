"""Keeps the collection `poems` as the poems are: a document for each poem and each translation.

A write only notes what has changed; the indexer, of which there is one, brings the documents after
it, through the same ingestion as files. So no engine's fault fails a write, and what was noted in
the same transaction is done however often a process is killed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from anyio import to_thread
from sqlalchemy import Connection, select

from services.kb import catalogue, documents, storing
from services.kb.catalogue import POEMS_COLLECTION
from services.kb.database import Database
from services.kb.ingestion import Ingestion
from services.kb.poems import stale
from services.kb.poems.stale import Stale
from services.kb.poems.tables import POEMS, TRANSLATIONS
from services.kb.preparation import Given
from services.kb.uploads import spool_bytes
from services.kernel.errors import Conflict, NotFound, Unprocessable

_log = logging.getLogger(__name__)
# The readers of text files take it for the mark of a binary file.
_NUL = "\x00"


class PoemIndex:
    """The collection `poems`, as far as it is made of poems."""

    def __init__(self, database: Database, spool_dir: Path, ingestion: Ingestion) -> None:
        self._database = database
        self._spool_dir = spool_dir
        self._ingestion = ingestion

    async def mark_strays(self) -> None:
        """Notes what has no document of the present recipe, so that it is indexed."""
        recipe = f"{self._ingestion.recipe}/"
        found = await self._database.read(lambda c: stale.strays(c, recipe))
        if found:
            await self._database.write(lambda c: [stale.mark(c, *stray) for stray in found])

    async def index_one(self) -> bool:
        """Brings one document up to date; False when all are. What fails is tried some times."""
        entry = await self._database.read(stale.first)
        if entry is None:
            return False
        try:
            await self._settle(entry)
        except Conflict:
            _log.info("a poem's document was stored by another call at the same time")
        except Exception:
            await self._database.write(lambda c: stale.failed(c, entry))
            raise
        return True

    async def forget(self, sources: Sequence[str]) -> None:
        """Deletes documents at once, so that nobody finds what is gone. The indexer comes after it
        for what is being stored at this moment."""
        for source in sources:
            with suppress(NotFound):  # what is gone already is as it should be
                document_id = await self._database.read(partial(_document_id, source=source))
                await to_thread.run_sync(storing.remove, self._database.engine, document_id)

    async def _settle(self, entry: Stale) -> None:
        written = await self._database.read(lambda c: _written(c, entry))
        if written is None:
            await self.forget([entry.source])
            await self._database.write(lambda c: stale.done(c, entry))
        else:
            await self._put(entry, written)

    async def _put(self, entry: Stale, written: Any) -> None:
        content = written.text.replace(_NUL, " ").encode()
        path = await to_thread.run_sync(spool_bytes, self._spool_dir, content)
        try:
            given = _given(entry, written, path)
            await self._ingestion.put(POEMS_COLLECTION, given, lambda c, _: stale.done(c, entry))
        except Unprocessable:
            _log.warning("a poem cannot be indexed", extra={"fields": {"source": entry.source}})
            await self.forget([entry.source])
            await self._database.write(lambda c: stale.done(c, entry))
        finally:
            await to_thread.run_sync(partial(path.unlink, missing_ok=True))


def _document_id(connection: Connection, source: str) -> str:
    return documents.id_of(connection, catalogue.find(connection, POEMS_COLLECTION), source)


def _written(connection: Connection, entry: Stale) -> Any | None:
    """The poem's or the translation's columns under common names; None when it is gone."""
    if not entry.translation_id:
        p = POEMS.c
        columns = (p.title, p.author, p.original_text.label("text"), p.source_lang.label("lang"))
        return connection.execute(select(*columns).where(p.id == entry.poem_id)).one_or_none()
    p, t = POEMS.c, TRANSLATIONS.c
    query = (
        select(
            t.translated_title.label("own_title"),
            t.translated_author.label("own_author"),
            p.title,
            p.author,
            t.translated_text.label("text"),
            t.target_lang.label("lang"),
            t.translator_type,
        )
        .join(POEMS, p.id == t.poem_id)
        .where(t.id == entry.translation_id)
    )
    return connection.execute(query).one_or_none()


def _given(entry: Stale, written: Any, path: Path) -> Given:
    """Title and poet are searched with each passage. Of the language the first part tells, as it
    does of other documents; the whole tag is in the metadata."""
    columns = written._mapping
    title = columns.get("own_title") or written.title
    author = columns.get("own_author") or written.author
    metadata = {
        "kind": "translation" if entry.translation_id else "poem",
        "poem_id": entry.poem_id,
        "poem_title": written.title,
        "author": written.author,
        "language": written.lang,
    }
    if entry.translation_id:
        metadata["translation_id"] = entry.translation_id
        metadata["translator_type"] = written.translator_type
    return Given(
        source=entry.source,
        path=path,
        title=f"{title} · {author}",
        lang=written.lang.partition("-")[0],
        metadata=metadata,
    )
