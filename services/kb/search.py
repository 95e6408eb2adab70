"""The read way: query → vector ∥ words → fusion → relevance → passages with snippet and source.

While the embedder or Chroma is away, a search goes on with the words alone and says so.
"""

from __future__ import annotations

import array
import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, select

from services.kb import catalogue
from services.kb.catalogue import CollectionRow
from services.kb.database import Database
from services.kb.embedding import Embedder, Model
from services.kb.fusion import Candidate, fuse, ranks
from services.kb.language import script_of, script_of_language
from services.kb.lexical import Match, index_text
from services.kb.models import CHUNKS, DOCUMENTS
from services.kb.relevance import background_of, calibration_of, relevance
from services.kb.snippet import snippet_of
from services.kb.vectors import VectorIndex
from services.kernel.errors import TrivetError

Mode = Literal["hybrid", "dense", "lexical"]

_CANDIDATES = 50
_CANDIDATES_FILTERED = 200


@dataclass(frozen=True)
class Query:
    """What is searched for. `filter`: metadata that must be equal; `lang`: of the passage."""

    text: str
    collection: str = catalogue.DEFAULT_COLLECTION
    mode: Mode = "hybrid"
    top_k: int = 3
    min_score: float = 0.0
    lang: str = ""
    filter: Mapping[str, Any] = field(default_factory=dict)

    @property
    def candidates(self) -> int:
        """How many passages each side is asked for."""
        few = _CANDIDATES_FILTERED if self.lang or self.filter else _CANDIDATES
        return max(few, self.top_k)


@dataclass(frozen=True)
class Hit:
    """A passage that was found; `row` has the columns of its chunk and document."""

    row: Any
    relevance: float
    cosine: float | None
    bm25: float | None
    snippet: str


@dataclass(frozen=True)
class Found:
    """`total`: passages that reach `min_score`, of those looked at; `degraded`: what was away."""

    hits: list[Hit]
    total: int
    degraded: tuple[str, ...]
    took_ms: float


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
        vector = asyncio.ensure_future(self._vector(query))
        try:
            collection, matches = await self._database.read(lambda c: _words(c, query))
            dense = await self._dense(collection, query, await vector)
        finally:
            vector.cancel()
        if dense.cosines is None and query.mode == "dense":
            collection, matches = await self._database.read(lambda c: _words(c, query, always=True))
        hits, total = await self._database.read(lambda c: _resolved(c, query, dense, matches))
        took_ms = (time.perf_counter() - started) * 1000
        return Found(hits, total, dense.degraded, round(took_ms, 2))

    async def _vector(self, query: Query) -> tuple[Model, bytes] | None:
        if query.mode == "lexical":
            return None
        try:
            return await self._embedder.query(query.text)
        except TrivetError:
            return None

    async def _dense(
        self, collection: CollectionRow, query: Query, found: tuple[Model, bytes] | None
    ) -> _Dense:
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
        values = array.array("f", vector)
        try:
            nearest = await self._index.query(collection.index_name, values, query.candidates)
        except TrivetError:
            return _Dense(None, degraded=("vector_index",))
        return _Dense(dict(nearest), model.name)


def _words(
    connection: Connection, query: Query, *, always: bool = False
) -> tuple[CollectionRow, list[Match]]:
    collection = catalogue.find(connection, query.collection)
    if query.mode == "dense" and not always:
        return collection, []
    return collection, collection.lexical.search(connection, query.text, query.candidates)


def _resolved(
    connection: Connection, query: Query, dense: _Dense, matches: Sequence[Match]
) -> tuple[list[Hit], int]:
    cosines = dense.cosines or {}
    by_words = {match.chunk_id: match for match in matches}
    rows = _rows(connection, query, [*cosines, *by_words])
    script = script_of(query.text)
    same = {i: script_of_language(row.lang) == script for i, row in rows.items()}
    order = _order(rows, cosines, by_words, same)
    scores = _relevance(dense, by_words, same)
    good = [i for i in order if scores[i] >= query.min_score]
    words = set(index_text(query.text).split())
    hits = [
        Hit(
            row=rows[i],
            relevance=scores[i],
            cosine=cosines.get(i),
            bm25=by_words[i].score if i in by_words else None,
            snippet=snippet_of(rows[i].text, words),
        )
        for i in good[: query.top_k]
    ]
    return hits, len(good)


def _rows(connection: Connection, query: Query, chunk_ids: Sequence[int]) -> dict[int, Any]:
    """The passages that are still there and that the query lets through."""
    if not chunk_ids:
        return {}
    chunk, document = CHUNKS.c, DOCUMENTS.c
    statement = (
        select(CHUNKS, document.source, document.title, document.url, document.metadata)
        .join(DOCUMENTS, document.id == chunk.document_id)
        .where(chunk.id.in_(chunk_ids))
    )
    if query.lang:
        statement = statement.where(chunk.lang == query.lang)
    rows = connection.execute(statement).all()
    return {
        row.id: row
        for row in rows
        if all(row.metadata.get(key) == value for key, value in query.filter.items())
    }


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
