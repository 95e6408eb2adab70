"""The write way: a file → what is known of it by hash → its passages → the database."""

from __future__ import annotations

from functools import partial

from anyio import to_thread

from services.kb import catalogue, documents, storing
from services.kb.database import Database
from services.kb.documents import Stored
from services.kb.preparation import Given, Measured, Preparer
from services.kb.storing import Done, ignore


class Ingestion:
    """Stores documents. Their passages wait in the database for their vectors."""

    def __init__(self, database: Database, preparer: Preparer) -> None:
        self._database = database
        self._preparer = preparer

    @property
    def recipe(self) -> str:
        """As the preparer's: how documents are cut now."""
        return self._preparer.recipe

    async def put(self, collection: str, given: Given, done: Done = ignore) -> Stored:
        """Stores a file under its source; equal content costs a hash. `done` is called in the last
        transaction. Raises NotFound, Unprocessable and Conflict."""
        measured = await self._preparer.measured(given)
        known = await self._known(collection, measured)
        if known is not None:
            await self._database.write(lambda c: done(c, known))
            return known
        async with self._preparer.prepared(given, measured) as prepared:
            work = partial(storing.store, self._database.engine, collection, prepared, done)
            return await to_thread.run_sync(work)

    async def _known(self, collection: str, measured: Measured) -> Stored | None:
        return await self._database.read(
            lambda c: documents.known(c, catalogue.find(c, collection), measured)
        )
