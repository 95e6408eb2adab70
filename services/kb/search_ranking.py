"""What the vectors and the words found → passages in one order, each with its score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from services.kb.fusion import Candidate, fuse, ranks
from services.kb.language import script_of, script_of_language
from services.kb.lexical import Match
from services.kb.models import CHUNKS, DOCUMENTS
from services.kb.relevance import background_of, calibration_of, relevance
from services.kb.search_filter import Scope
from services.kb.search_query import Query
from services.kb.search_terms import query_terms
from services.kb.snippet import Snippet, snippet_of


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
class Dense:
    """The dense side's answer: cosines by chunk, best first; None where it was not asked.

    `measured`: what they were before languages were evened, where they were.
    """

    cosines: Mapping[int, float] | None
    model_name: str = ""
    degraded: tuple[str, ...] = ()
    measured: Mapping[int, float] = field(default_factory=dict)


def resolved(
    connection: Connection, query: Query, scope: Scope, dense: Dense, matches: Sequence[Match]
) -> tuple[list[Hit], int]:
    """The hits, best first, and how many passages reach the query's least score."""
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
            cosine=dense.measured.get(i, cosines.get(i)),
            bm25=by_words[i].score if i in by_words else None,
            snippet=snippet_of(rows[i].text, terms) if query.snippets else Snippet("", []),
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
    dense: Dense, by_words: Mapping[int, Match], same: Mapping[int, bool]
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
