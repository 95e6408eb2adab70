"""Makes a collection's indexes anew from the database, beside the old ones, and swaps.

Search goes on with the old vector index until the new one is whole. What comes in meanwhile waits
in `pending` and `tombstones` and goes into the new one.
"""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from services.kb import catalogue, jobs
from services.kb.catalogue import CollectionRow
from services.kb.database import Database
from services.kb.embedding import Embedder, Model
from services.kb.models import CHUNKS, JOBS, PENDING, TOMBSTONES, VECTORS
from services.kb.placement import Passage, Placement, index_metadata, passage_columns, passages_of
from services.kb.vectors import VectorIndex
from services.kernel.errors import NotFound

_log = logging.getLogger(__name__)
_PAGE = 64


class Rebuild:
    """Does the rebuild jobs, one after another. One process at a time may use it."""

    def __init__(
        self, database: Database, embedder: Embedder, index: VectorIndex, placement: Placement
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._index = index
        self._placement = placement

    async def run_one(self) -> bool:
        """Runs the job that has waited longest; False when none waits."""
        job = await self._database.read(jobs.next_rebuild)
        if job is None:
            return False
        try:
            collection = await self._database.read(lambda c: catalogue.find(c, job.collection))
        except NotFound as error:
            reason = error.message
            await self._database.write(lambda c: jobs.fail(c, job.id, reason))
            return True
        await self._rebuild(job, collection)
        return True

    async def _rebuild(self, job: Any, collection: CollectionRow) -> None:
        model = await self._embedder.model()
        name = catalogue.new_index_name()
        # Written down first: should this process be killed, the half-made index is deleted.
        await self._database.write(lambda c: _abandon(c, name))
        await self._index.ensure(name, index_metadata(model))
        await self._database.write(collection.lexical.create)
        last, done = 0, 0
        while passages := await self._page(collection, model, last):
            await self._placement.place(passages, name)
            await self._reword(collection, passages)
            last, done = passages[-1].chunk_id, done + len(passages)
            count = done
            await self._database.write(lambda c, n=count: jobs.advance(c, job.id, done=n))  # type: ignore[misc]  # mypy cannot infer a lambda's default
        await self._database.write(lambda c: _finish(c, job.id, collection, name, model, last))
        _log.info("a collection is rebuilt", extra={"fields": {"chunks": done}})

    async def _page(self, collection: CollectionRow, model: Model, last: int) -> list[Passage]:
        c = CHUNKS.c
        query = passage_columns().where(c.collection_id == collection.id, c.id > last)
        rows = await self._database.read(
            lambda connection: connection.execute(query.order_by(c.id).limit(_PAGE)).all()
        )
        return passages_of(rows, model.key)

    async def _reword(self, collection: CollectionRow, passages: list[Passage]) -> None:
        def work(connection: Connection) -> None:
            ids = [passage.chunk_id for passage in passages]
            there = select(CHUNKS.c.id).where(CHUNKS.c.id.in_(ids))
            present = {row.id for row in connection.execute(there)}
            for passage in passages:
                if passage.chunk_id in present:
                    collection.lexical.put(
                        connection, passage.chunk_id, passage.heading, passage.text
                    )

        await self._database.write(work)


def _abandon(connection: Connection, index_name: str) -> None:
    connection.execute(insert(TOMBSTONES).values(index_name=index_name, chunk_id=None))


def _finish(
    connection: Connection, job_id: str, old: CollectionRow, name: str, model: Model, last: int
) -> None:
    """Swaps, unless the collection is gone by now; then the new index is deleted as abandoned."""
    c = TOMBSTONES.c
    jobs.advance(connection, job_id, done=JOBS.c.total, state="done")
    if all(row.id != old.id for row in catalogue.every(connection)):
        return
    connection.execute(delete(TOMBSTONES).where(c.index_name == name))
    connection.execute(
        update(TOMBSTONES)
        .where(c.index_name == old.index_name, c.chunk_id.is_not(None))
        .values(index_name=name)
    )
    placed = (
        select(CHUNKS.c.id)
        .join(VECTORS, VECTORS.c.chunk_id == CHUNKS.c.id)
        .where(CHUNKS.c.collection_id == old.id, CHUNKS.c.id <= last)
        .where(VECTORS.c.model_key == model.key)
    )
    connection.execute(delete(PENDING).where(PENDING.c.chunk_id.in_(placed)))
    old.lexical.keep_only_chunks(connection)
    catalogue.swap_index(connection, old, name, model)
