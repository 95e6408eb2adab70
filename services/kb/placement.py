"""Passages of the database → vectors in Chroma, and out of it again."""

from __future__ import annotations

import array
import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, delete, insert, literal, select, text, update

from services.kb import catalogue, jobs
from services.kb.catalogue import CollectionRow
from services.kb.database import Database
from services.kb.embedding import Embedder, Model
from services.kb.models import CHUNKS, COLLECTIONS, PENDING, TOMBSTONES, VECTORS
from services.kb.passage import Passage, passage_columns, passages_of
from services.kb.preparation import embedded_text
from services.kb.vectors import IndexBroken, IndexMissing, VectorIndex
from services.kernel.errors import UpstreamError

_log = logging.getLogger(__name__)
_BATCH = 64
# So many are one call to the embedder, which works on the next ones while these are written.
_GROUP = 16
_TOMBSTONES_AT_ONCE = 500
_FAILURES_TO_HEAL = 2
# A passage is found by its own vector; its cosine is 1 but for rounding.
_SAME_COSINE = 0.99


class Placement:
    """Does some of the waiting work each time it is asked. One process at a time may use it."""

    def __init__(self, database: Database, embedder: Embedder, index: VectorIndex) -> None:
        self._database = database
        self._embedder = embedder
        self._index = index
        self._failures: dict[str, int] = {}
        # An index in use and the one that is being made in its place, if any.
        self.twin: tuple[str, str] | None = None

    async def place_some(self) -> bool:
        """Embeds a batch of waiting passages and puts it into Chroma; False when none waits.

        Passages of a collection whose vectors another model made wait for its rebuild.
        """
        if not await self._database.read(_anything_pending):
            return False
        model = await self._embedder.model()
        collection, passages = await self._database.read(lambda c: _next_batch(c, model))
        if collection is None:
            return False
        if not collection.model_key:
            await self._database.write(lambda c: catalogue.adopt_model(c, collection, model))
            await self._index.ensure(collection.index_name, index_metadata(model))
        placed = await self.place(passages, collection.index_name)
        await self._database.write(lambda c: _placed(c, placed))
        return True

    async def place(self, passages: Sequence[Passage], index_name: str) -> list[int]:
        """Puts passages into an index, embedding those without a vector; returns their ids."""
        placed: list[int] = []
        groups = [passages[first : first + _GROUP] for first in range(0, len(passages), _GROUP)]
        tasks = [asyncio.ensure_future(self._vectors(group)) for group in groups]
        try:
            for task in tasks:
                vectors = await task
                if vectors:
                    await self._index.upsert(index_name, vectors)
                placed += vectors
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return placed

    async def _vectors(self, passages: Sequence[Passage]) -> dict[int, bytes]:
        known = {p.chunk_id: p.vector for p in passages if p.vector is not None}
        return known | await self._embedded([p for p in passages if p.vector is None])

    async def bury_some(self) -> bool:
        """Deletes in Chroma what is gone here; False when there is nothing."""
        old, new = self.twin or ("", "")
        index_name, rows = await self._database.read(lambda c: _next_tombstones(c, new))
        if not rows:
            return False
        for name in (index_name, new) if index_name == old else (index_name,):
            await self._bury(name, [row.chunk_id for row in rows])
        await self._database.write(lambda c: _buried(c, [row.id for row in rows]))
        return True

    async def _bury(self, index_name: str, chunk_ids: Sequence[int | None]) -> None:
        try:
            if None in chunk_ids:
                await self._index.drop(index_name)
            else:
                await self._index.delete(index_name, [i for i in chunk_ids if i is not None])
        except IndexMissing:
            _log.info("an index is gone already")

    async def heal(self) -> None:
        """Makes indexes that Chroma lost, that do not hold what they should, or that it cannot
        read any more, anew: under another name, from the vectors in the database."""
        for collection in await self._database.read(catalogue.every):
            if collection.model_key and not await self._is_fit(collection):
                _log.warning("an index is made anew", extra={"fields": {"of": collection.name}})
                await self._database.write(partial(_requeue, collection=collection))

    async def _is_fit(self, collection: CollectionRow) -> bool:
        """Whether the index is whole. One that fails may do so for once: the second time counts."""
        name = collection.index_name
        try:
            whole = await self._is_whole(collection)
        except IndexBroken:
            self._failures[name] = self._failures.get(name, 0) + 1
            if self._failures[name] < _FAILURES_TO_HEAL:
                raise
            whole = False
        self._failures.pop(name, None)
        return whole

    async def settle_jobs(self) -> None:
        """Ends the jobs that are done."""
        if await self._database.read(jobs.anything_to_settle):
            await self._database.write(jobs.settle)

    async def _is_whole(self, collection: CollectionRow) -> bool:
        try:
            metadata = await self._index.metadata(collection.index_name)
            count = await self._index.count(collection.index_name)
        except IndexMissing:
            return False
        if metadata.get("model_key") != collection.model_key:
            return False
        numbers = await self._database.read(lambda c: catalogue.numbers(c, collection))
        buried = await self._database.read(lambda c: _waiting_tombstones(c, collection.index_name))
        await self._probe(collection)
        # What is pending may be there already, and what is to be buried may not.
        least = numbers.chunks - numbers.pending
        return least <= count <= numbers.chunks + buried

    async def _probe(self, collection: CollectionRow) -> None:
        """Searches for a passage that is there: an index can be counted and still be broken.

        Chroma counts what its SQLite holds, and searches in files beside it; without them it finds
        what came last and says nothing.
        """
        vector = await self._database.read(lambda c: _first_vector(c, collection))
        if vector is None:
            return
        found = await self._index.query(collection.index_name, array.array("f", vector), 1)
        if not found or found[0][1] < _SAME_COSINE:
            raise IndexBroken("The vector index does not find what it holds.")

    async def _embedded(self, passages: Sequence[Passage]) -> dict[int, bytes]:
        if not passages:
            return {}
        texts = [embedded_text(p.heading, p.text) for p in passages]
        try:
            model, vectors = await self._embedder.passages(texts)
        except UpstreamError:  # the model failed on a text: find out on which
            if len(passages) == 1:
                await self._database.write(lambda c: _failed(c, passages[0].chunk_id))
                return {}
            halves = passages[: len(passages) // 2], passages[len(passages) // 2 :]
            return {**await self._embedded(halves[0]), **await self._embedded(halves[1])}
        found = dict(zip((p.chunk_id for p in passages), vectors, strict=True))
        await self._database.write(lambda c: _keep_vectors(c, model, found))
        return found


def index_metadata(model: Model) -> dict[str, str | int]:
    """What Chroma keeps with an index, so that vectors of two models are never mixed."""
    return {
        "model_key": model.key,
        "model": model.name,
        "revision": model.revision,
        "dimensions": model.dimensions,
        "query_prefix": model.query_prefix,
        "passage_prefix": model.passage_prefix,
    }


def _anything_pending(connection: Connection) -> bool:
    query = select(PENDING.c.chunk_id).where(PENDING.c.attempts < jobs.MAX_ATTEMPTS).limit(1)
    return connection.execute(query).first() is not None


def _next_batch(connection: Connection, model: Model) -> tuple[CollectionRow | None, list[Passage]]:
    rows = connection.execute(
        passage_columns()
        .join(PENDING, PENDING.c.chunk_id == CHUNKS.c.id)
        .join(COLLECTIONS, COLLECTIONS.c.id == CHUNKS.c.collection_id)
        .where(PENDING.c.attempts < jobs.MAX_ATTEMPTS)
        .where(COLLECTIONS.c.model_key.in_(("", model.key)))
        .order_by(PENDING.c.attempts, PENDING.c.chunk_id)
        .limit(_BATCH)
    ).all()
    if not rows:
        return None, []
    first = rows[0].collection_id
    collection = next(row for row in catalogue.every(connection) if row.id == first)
    own = [row for row in rows if row.collection_id == first]
    return collection, passages_of(own, model.key)


def _keep_vectors(connection: Connection, model: Model, vectors: dict[int, bytes]) -> None:
    """A passage may be gone by now: only those that are there get a vector."""
    statement = text(
        "INSERT OR REPLACE INTO vectors (chunk_id, model_key, vector) "
        "SELECT id, :key, :vector FROM chunks WHERE id = :id"
    )
    rows = [{"id": i, "key": model.key, "vector": vector} for i, vector in vectors.items()]
    connection.execute(statement, rows)


def _placed(connection: Connection, chunk_ids: Sequence[int]) -> None:
    connection.execute(delete(PENDING).where(PENDING.c.chunk_id.in_(chunk_ids)))


def _failed(connection: Connection, chunk_id: int) -> None:
    waiting = select(CHUNKS.c.id, literal(0)).where(CHUNKS.c.id == chunk_id)
    connection.execute(
        insert(PENDING).prefix_with("OR IGNORE").from_select(["chunk_id", "attempts"], waiting)
    )
    connection.execute(
        update(PENDING)
        .where(PENDING.c.chunk_id == chunk_id)
        .values(attempts=PENDING.c.attempts + 1)
    )


def _requeue(connection: Connection, collection: CollectionRow) -> None:
    chunks = select(CHUNKS.c.id, literal(0)).where(CHUNKS.c.collection_id == collection.id)
    connection.execute(
        delete(PENDING).where(PENDING.c.chunk_id.in_(chunks.with_only_columns(CHUNKS.c.id)))
    )
    connection.execute(insert(PENDING).from_select(["chunk_id", "attempts"], chunks))
    connection.execute(delete(TOMBSTONES).where(TOMBSTONES.c.index_name == collection.index_name))
    connection.execute(insert(TOMBSTONES).values(index_name=collection.index_name, chunk_id=None))
    connection.execute(
        update(COLLECTIONS)
        .where(COLLECTIONS.c.id == collection.id)
        .values(model_key="", index_name=catalogue.new_index_name())
    )


def _first_vector(connection: Connection, collection: CollectionRow) -> bytes | None:
    """Of the oldest passage that is in the index."""
    query = (
        select(VECTORS.c.vector)
        .join(CHUNKS, CHUNKS.c.id == VECTORS.c.chunk_id)
        .outerjoin(PENDING, PENDING.c.chunk_id == CHUNKS.c.id)
        .where(CHUNKS.c.collection_id == collection.id, PENDING.c.chunk_id.is_(None))
        .where(VECTORS.c.model_key == collection.model_key)
    )
    found: bytes | None = connection.execute(query.order_by(CHUNKS.c.id).limit(1)).scalar()
    return found


def _next_tombstones(connection: Connection, but: str) -> tuple[str, list[Any]]:
    """The oldest ones of one index, which is not the one named `but`."""
    c = TOMBSTONES.c
    query = select(TOMBSTONES).where(c.index_name != but).order_by(c.id)
    rows = connection.execute(query.limit(_TOMBSTONES_AT_ONCE)).all()
    if not rows:
        return "", []
    name = rows[0].index_name
    return name, [row for row in rows if row.index_name == name]


def _waiting_tombstones(connection: Connection, index_name: str) -> int:
    query = select(TOMBSTONES.c.id).where(TOMBSTONES.c.index_name == index_name)
    return len(connection.execute(query).all())


def _buried(connection: Connection, ids: Sequence[int]) -> None:
    for number in ids:
        connection.execute(delete(TOMBSTONES).where(TOMBSTONES.c.id == number))
