"""Makes a collection's indexes anew from the database, beside the old ones, and swaps.

Search goes on with the old vector index until the new one is whole. What comes in meanwhile goes
into the old one and, since its id is higher, into the new one in its turn; what goes is deleted in
both.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from services.kb import catalogue, jobs
from services.kb.catalogue import CollectionRow
from services.kb.database import Database
from services.kb.embedding import Embedder, Model
from services.kb.models import CHUNKS, JOBS, PENDING, TOMBSTONES, VECTORS
from services.kb.passage import Passage, passage_columns, passages_of
from services.kb.placement import Placement, index_metadata
from services.kb.vectors import VectorIndex
from services.kernel.errors import NotFound, TrivetError

_log = logging.getLogger(__name__)
_PAGE = 64


@dataclass
class _Building:
    """An index in the making: passages up to the id `last`, `done` in number, are in it."""

    job_id: str
    collection: CollectionRow
    model: Model
    index_name: str
    last: int = 0
    done: int = 0


class Rebuild:
    """Does the rebuild jobs, one after another, a page of passages at a time, so that other work
    goes on in between. One process at a time may use it."""

    def __init__(
        self, database: Database, embedder: Embedder, index: VectorIndex, placement: Placement
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._index = index
        self._placement = placement
        self._building: _Building | None = None

    async def run_some(self) -> bool:
        """A page of the job that has waited longest; False when none waits."""
        job = await self._database.read(jobs.next_rebuild)
        try:
            building = await self._continued(job) if job is not None else None
            if building is not None:
                await self._go_on(building)
        except TrivetError:
            self._stop()  # begins again when the engines are back
            raise
        if job is None:
            self._stop()
        return job is not None

    async def _continued(self, job: Any) -> _Building | None:
        """The index in the making, or a new one; None when the job's collection is gone."""
        try:
            collection = await self._database.read(lambda c: catalogue.find(c, job.collection))
        except NotFound as error:
            reason = error.message
            await self._database.write(lambda c: jobs.fail(c, job.id, reason))
            return None
        model = await self._embedder.model()
        found = self._building
        if found is not None and (found.job_id, found.model, found.collection.index_name) == (
            job.id,
            model,
            collection.index_name,
        ):
            return found
        return await self._begin(job.id, collection, model)

    async def _begin(self, job_id: str, collection: CollectionRow, model: Model) -> _Building:
        name = catalogue.new_index_name()
        self._placement.twin = (collection.index_name, name)
        # Written down first: should this process be killed, the half-made index is deleted.
        await self._database.write(lambda c: _abandon(c, name))
        await self._index.ensure(name, index_metadata(model))
        await self._database.write(collection.lexical.create)
        self._building = _Building(job_id, collection, model, name)
        return self._building

    def _stop(self) -> None:
        self._building = None
        self._placement.twin = None

    async def _go_on(self, building: _Building) -> None:
        collection = building.collection
        passages = await self._page(collection, building.model, building.last)
        if not passages:
            await self._database.write(lambda c: _finish(c, building))
            _log.info("a collection is rebuilt", extra={"fields": {"chunks": building.done}})
            self._stop()
            return
        await self._placement.place(passages, building.index_name)
        await self._reword(collection, passages)
        building.last = passages[-1].chunk_id
        building.done += len(passages)
        await self._database.write(lambda c: jobs.advance(c, building.job_id, done=building.done))

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


def _finish(connection: Connection, building: _Building) -> None:
    """Swaps, unless the collection is gone by now; then the new index is deleted as abandoned."""
    c = TOMBSTONES.c
    old, name = building.collection, building.index_name
    if not jobs.is_running(connection, building.job_id):
        return  # cancelled
    jobs.advance(connection, building.job_id, done=JOBS.c.total, state="done")
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
        .where(CHUNKS.c.collection_id == old.id, CHUNKS.c.id <= building.last)
        .where(VECTORS.c.model_key == building.model.key)
    )
    connection.execute(delete(PENDING).where(PENDING.c.chunk_id.in_(placed)))
    old.lexical.keep_only_chunks(connection)
    catalogue.swap_index(connection, old, name, building.model)
