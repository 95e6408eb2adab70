"""The read way: query → vector ∥ words → fusion → relevance → passages with snippet and source.

While the embedder or Chroma is away, a search goes on with the words alone and says so.
"""

from __future__ import annotations

import array
import asyncio
import math
import time
from dataclasses import dataclass, replace

from sqlalchemy import Connection, text

from services.kb import catalogue
from services.kb.catalogue import POEMS_COLLECTION, CollectionRow
from services.kb.database import Database
from services.kb.embedding import Embedder, Model
from services.kb.evening import evened
from services.kb.language import script_of
from services.kb.lexical import Match
from services.kb.relevance import calibration_of
from services.kb.search_filter import EVERYTHING, Scope, scope_of
from services.kb.search_query import Query
from services.kb.search_ranking import Dense, Hit, resolved
from services.kb.search_vectors import nearest_in
from services.kb.vectors import VectorIndex
from services.kernel.errors import TrivetError

# A scope of so many passages is searched in full: exact, and quicker than a filter in Chroma.
_SMALL_SCOPE = 2_000
# Of a larger one Chroma is asked for more than is needed, by how many of all it leaves out.
_MOST_CANDIDATES = 1_000
_SPARE = 1.5
# Poems are searched language by language, up to so many.
_MOST_LANGUAGES = 8


@dataclass(frozen=True)
class Found:
    """`total`: passages that reach `min_score`, of those looked at; `degraded`: what was away."""

    hits: list[Hit]
    total: int
    degraded: tuple[str, ...]
    took_ms: float
    embedding_ms: float


@dataclass(frozen=True)
class _Ground:
    """What is searched: `chunks` of all the collection's `of` lie in the scope."""

    collection: CollectionRow
    scope: Scope = EVERYTHING
    chunks: int = 0
    of: int = 0

    def asked_of_chroma(self, wanted: int) -> int:
        if not self.scope.statement:
            return wanted
        return min(_MOST_CANDIDATES, math.ceil(wanted * _SPARE * self.of / max(1, self.chunks)))


@dataclass(frozen=True)
class _Embedded:
    """A query's vector and the model that made it; None where there is none."""

    found: tuple[Model, bytes] | None
    took_ms: float = 0.0


class Searcher:
    """Answers queries. Raises NotFound for an unknown collection."""

    def __init__(self, database: Database, embedder: Embedder, index: VectorIndex) -> None:
        self._database = database
        self._embedder = embedder
        self._index = index

    async def search(self, query: Query) -> Found:
        started = time.perf_counter()
        embedding = asyncio.ensure_future(self._vector(query))
        try:
            words = query.mode != "dense"
            ground, matches = await self._database.read(lambda c: _words(c, query, words))
            embedded = await embedding
            dense = await self._dense(ground, query, embedded.found)
        finally:
            embedding.cancel()
        if dense.cosines is None and not words:
            ground, matches = await self._database.read(lambda c: _words(c, query, True))
        hits, total = await self._database.read(
            lambda c: resolved(c, query, ground.scope, dense, matches)
        )
        took_ms = (time.perf_counter() - started) * 1000
        return Found(hits, total, dense.degraded, round(took_ms, 2), round(embedded.took_ms, 2))

    async def _vector(self, query: Query) -> _Embedded:
        if query.mode == "lexical":
            return _Embedded(None)
        started = time.perf_counter()
        try:
            found = await self._embedder.query(query.text)
        except TrivetError:
            return _Embedded(None)
        return _Embedded(found, (time.perf_counter() - started) * 1000)

    async def _dense(
        self, ground: _Ground, query: Query, found: tuple[Model, bytes] | None
    ) -> Dense:
        collection = ground.collection
        if query.mode == "lexical":
            return Dense(None)
        if found is None:
            return Dense(None, degraded=("embedder",))
        if not collection.model_key:
            return Dense({})  # nothing is embedded yet
        model, vector = found
        if model.key != collection.model_key:
            return Dense(None, degraded=("model_changed",))
        if calibration_of(model.name).english_only and script_of(query.text) == "cjk":
            return Dense(None, degraded=("model_language",))
        try:
            if query.collection == POEMS_COLLECTION and not query.lang:
                return await self._evened(ground, query, model, vector)
            nearest = await self._nearest(ground, query, model, vector)
        except TrivetError:
            return Dense(None, degraded=("vector_index",))
        return Dense(dict(nearest), model.name)

    async def _evened(self, ground: _Ground, query: Query, model: Model, vector: bytes) -> Dense:
        """Poems of all languages: verse of the other one would never come first."""
        collection = ground.collection
        grounds = await self._database.read(lambda c: _by_language(c, collection, query))
        found = [await self._nearest(each, query, model, vector) for each in grounds or [ground]]
        measured = {i: cosine for nearest in found for i, cosine in nearest}
        return Dense(evened(found), model.name, measured=measured)

    async def _nearest(
        self, ground: _Ground, query: Query, model: Model, vector: bytes
    ) -> list[tuple[int, float]]:
        scope = ground.scope
        if scope.statement and ground.chunks <= _SMALL_SCOPE:
            return await self._database.read(
                lambda c: nearest_in(c, scope, model.key, vector, query.candidates)
            )
        values = array.array("f", vector)
        limit = ground.asked_of_chroma(query.candidates)
        return await self._index.query(ground.collection.index_name, values, limit)


def _words(connection: Connection, query: Query, wanted: bool) -> tuple[_Ground, list[Match]]:
    collection = catalogue.find(connection, query.collection)
    ground = _ground(connection, collection, query)
    if not wanted:
        return ground, []
    return ground, collection.lexical.search(connection, query.text, query.candidates, ground.scope)


def _by_language(connection: Connection, collection: CollectionRow, query: Query) -> list[_Ground]:
    """What is searched, by language; nothing where there are too many to ask one by one."""
    known = text("SELECT DISTINCT lang FROM chunks WHERE collection_id = :id LIMIT :limit")
    values = {"id": collection.id, "limit": _MOST_LANGUAGES + 1}
    languages = connection.execute(known, values).scalars().all()
    if "" in languages or len(languages) > _MOST_LANGUAGES:
        return []
    return [
        _ground(connection, collection, replace(query, lang=language)) for language in languages
    ]


def _ground(connection: Connection, collection: CollectionRow, query: Query) -> _Ground:
    scope = scope_of(collection.id, query.lang, query.conditions)
    if not scope.statement:
        return _Ground(collection)
    counted = text(f"SELECT count(*) FROM ({scope.statement})")  # noqa: S608  # values are bound
    inside = int(connection.execute(counted, dict(scope.values)).scalar_one())
    everything = text("SELECT count(*) FROM chunks WHERE collection_id = :id")
    total = int(connection.execute(everything, {"id": collection.id}).scalar_one())
    return _Ground(collection, scope, inside, total)
