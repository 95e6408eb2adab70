"""The read way: query → vector ∥ words → fusion → relevance → passages with snippet and source.

While the embedder or Chroma is away, a search goes on with the words alone and says so.
"""

from __future__ import annotations

import array
import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, select, text

from services.kb import catalogue
from services.kb.catalogue import CollectionRow
from services.kb.database import Database
from services.kb.embedding import Embedder, Model
from services.kb.fusion import Candidate, fuse, ranks
from services.kb.language import script_of, script_of_language
from services.kb.lexical import Match
from services.kb.models import CHUNKS, DOCUMENTS
from services.kb.relevance import background_of, calibration_of, relevance
from services.kb.search_filter import EVERYTHING, Condition, Scope, scope_of
from services.kb.search_terms import query_terms
from services.kb.search_vectors import nearest_in
from services.kb.snippet import Snippet, snippet_of
from services.kb.vectors import VectorIndex
from services.kernel.errors import TrivetError

Mode = Literal["hybrid", "dense", "lexical"]

_CANDIDATES = 50
# A scope of so many passages is searched in full: exact, and quicker than a filter in Chroma.
_SMALL_SCOPE = 2_000
# Of a larger one Chroma is asked for more than is needed, by how many of all it leaves out.
_MOST_CANDIDATES = 1_000
_SPARE = 1.5


@dataclass(frozen=True)
class Query:
    """What is searched for. `lang`: of the passage; `neighbours`: passages around each hit."""

    text: str
    collection: str = catalogue.DEFAULT_COLLECTION
    mode: Mode = "hybrid"
    top_k: int = 3
    min_score: float = 0.0
    lang: str = ""
    conditions: Sequence[Condition] = ()
    neighbours: int = 0

    @property
    def candidates(self) -> int:
        """How many passages each side is asked for."""
        return max(_CANDIDATES, self.top_k)


@dataclass(frozen=True)
class Hit:
    """A passage that was found; `row` has the columns of its chunk and document, `neighbours`
    those of the chunks around it."""

    row: Any
    relevance: float
    cosine: float | None
    bm25: float | None
    snippet: Snippet
    neighbours: Sequence[Any] = ()


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


@dataclass(frozen=True)
class _Dense:
    """The dense side's answer: cosines by chunk, best first; None where it was not asked."""

    cosines: Mapping[int, float] | None
    model_name: str = ""
    degraded: tuple[str, ...] = ()


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
            lambda c: _resolved(c, query, ground.scope, dense, matches)
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
    ) -> _Dense:
        collection = ground.collection
        if query.mode == "lexical":
            return _Dense(None)
        if found is None:
            return _Dense(None, degraded=("embedder",))
        if not collection.model_key:
            return _Dense({})  # nothing is embedded yet
        model, vector = found
        if model.key != collection.model_key:
            return _Dense(None, degraded=("model_changed",))
        if calibration_of(model.name).english_only and script_of(query.text) == "cjk":
            return _Dense(None, degraded=("model_language",))
        try:
            nearest = await self._nearest(ground, query, model, vector)
        except TrivetError:
            return _Dense(None, degraded=("vector_index",))
        return _Dense(dict(nearest), model.name)

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


def _ground(connection: Connection, collection: CollectionRow, query: Query) -> _Ground:
    scope = scope_of(collection.id, query.lang, query.conditions)
    if not scope.statement:
        return _Ground(collection)
    counted = text(f"SELECT count(*) FROM ({scope.statement})")  # noqa: S608  # values are bound
    inside = int(connection.execute(counted, dict(scope.values)).scalar_one())
    everything = text("SELECT count(*) FROM chunks WHERE collection_id = :id")
    total = int(connection.execute(everything, {"id": collection.id}).scalar_one())
    return _Ground(collection, scope, inside, total)


def _resolved(
    connection: Connection, query: Query, scope: Scope, dense: _Dense, matches: Sequence[Match]
) -> tuple[list[Hit], int]:
    cosines = dense.cosines or {}
    by_words = {match.chunk_id: match for match in matches}
    rows = _rows(connection, scope, [*cosines, *by_words])
    script = script_of(query.text)
    same = {i: script_of_language(row.lang) == script for i, row in rows.items()}
    order = _order(rows, cosines, by_words, same)
    scores = _relevance(dense, by_words, same)
    good = [i for i in order if scores[i] >= query.min_score]
    terms = query_terms(query.text)
    hits = [
        Hit(
            row=rows[i],
            relevance=scores[i],
            cosine=cosines.get(i),
            bm25=by_words[i].score if i in by_words else None,
            snippet=snippet_of(rows[i].text, terms),
            neighbours=_neighbours(connection, rows[i], query.neighbours),
        )
        for i in good[: query.top_k]
    ]
    return hits, len(good)


def _rows(connection: Connection, scope: Scope, chunk_ids: Sequence[int]) -> dict[int, Any]:
    """The passages that are still there and lie in the scope."""
    if not chunk_ids:
        return {}
    chunk, document = CHUNKS.c, DOCUMENTS.c
    statement = (
        select(CHUNKS, document.source, document.title, document.url, document.metadata)
        .join(DOCUMENTS, document.id == chunk.document_id)
        .where(chunk.id.in_(bindparam("wanted", expanding=True)))
    )
    if scope.statement:
        statement = statement.where(text(f"chunks.id IN ({scope.statement})"))
    rows = connection.execute(statement, {"wanted": list(chunk_ids), **scope.values})
    return {row.id: row for row in rows}


def _neighbours(connection: Connection, row: Any, reach: int) -> Sequence[Any]:
    if not reach:
        return ()
    c = CHUNKS.c
    statement = select(c.id, c.position, c.text).where(
        c.document_id == row.document_id,
        c.position.between(row.position - reach, row.position + reach),
        c.id != row.id,
    )
    return connection.execute(statement.order_by(c.position)).all()


def _order(
    rows: Mapping[int, Any],
    cosines: Mapping[int, float],
    by_words: Mapping[int, Match],
    same: Mapping[int, bool],
) -> list[int]:
    dense_ranks = ranks([i for i in cosines if i in rows])
    lexical_ranks = ranks([i for i in by_words if i in rows])
    if not dense_ranks:
        return list(lexical_ranks)
    candidates = [
        Candidate(
            chunk_id=i,
            dense_rank=dense_ranks.get(i),
            lexical_rank=lexical_ranks.get(i),
            evidence=by_words[i].evidence if i in by_words else 0.0,
            same_script=same[i],
        )
        for i in dict.fromkeys([*dense_ranks, *lexical_ranks])
    ]
    return [fused.chunk_id for fused in fuse(candidates)]


def _relevance(
    dense: _Dense, by_words: Mapping[int, Match], same: Mapping[int, bool]
) -> dict[int, float]:
    calibration = calibration_of(dense.model_name)
    cosines = dense.cosines or {}
    background = background_of(list(cosines.values()), calibration)
    floor = min(cosines.values(), default=background)
    return {
        i: relevance(
            # A passage that only the words found lies below all that the vectors found.
            cosines.get(i, floor) if cosines else None,
            background,
            by_words[i].evidence if i in by_words else 0.0,
            same_script=is_same,
            calibration=calibration,
        )
        for i, is_same in same.items()
    }
