"""`/api/search` and `/api/company_info`."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from anyio import to_thread

from services.kb.schemas import CompanyResponse
from services.kb.search import Found
from services.kb.search_query import Query
from services.kb.search_ranking import Hit
from services.kb.search_schemas import (
    Neighbour,
    SearchBody,
    SearchesResponse,
    SearchOptions,
    SearchQuery,
    SearchResponse,
    SearchResult,
    conditions_of,
)
from services.kb.state import State
from services.kernel.routing import Call

# A neighbour, or the administrator, says why it searches; nobody else is believed. A replay asks
# again what was asked before, to see what a new document changed: it is nobody's search.
_CAUSES = ("user", "assistant", "replay")
_QUERIES_AT_ONCE = 4


async def search(call: Call[State], query: SearchQuery) -> SearchResponse:
    """Finds passages for a question"""
    call.state.keys.admit(call.caller, query.collection)
    return await _searched(call, query, query.q)


async def search_by_body(call: Call[State], body: SearchBody) -> SearchResponse | SearchesResponse:
    """Finds passages for one question or for a list of them"""
    call.state.keys.admit(call.caller, body.collection)
    if body.queries is None:
        return await _searched(call, body, body.q or body.query or "")
    started = time.perf_counter()
    limit = asyncio.Semaphore(_QUERIES_AT_ONCE)

    async def one(text: str) -> SearchResponse:
        async with limit:
            return await _searched(call, body, text)

    # Not a TaskGroup: it would wrap the contract's error in a group of its own.
    searches = await asyncio.gather(*(one(text) for text in body.queries))
    took_ms = round((time.perf_counter() - started) * 1000, 2)
    return SearchesResponse(searches=list(searches), took_ms=took_ms)


async def company_info(call: Call[State]) -> CompanyResponse:
    """Who the site belongs to, in Chinese and English"""
    company = await to_thread.run_sync(call.state.company.read)
    return CompanyResponse(company_info=company.company_info, assistant_info=company.assistant_info)


async def _searched(call: Call[State], options: SearchOptions, text: str) -> SearchResponse:
    query = Query(
        text=text,
        collection=options.collection,
        mode=options.mode,
        top_k=options.top_k,
        min_score=options.min_score,
        lang=options.lang,
        conditions=conditions_of(options.filter),
        neighbours=options.neighbours,
    )
    found = await call.state.searcher.search(query)
    _record(call, query, found)
    return SearchResponse(
        query=text,
        results=[_result(hit, query.collection) for hit in found.hits],
        total_found=found.total,
        took_ms=found.took_ms,
        embedding_ms=found.embedding_ms,
        mode=query.mode,
        degraded=list(found.degraded),
    )


def _record(call: Call[State], query: Query, found: Found) -> None:
    """Search events, as analytics counts them."""
    own = call.caller.kind == "neighbour"
    cause = _cause(call)
    call.context.log_fields["found"] = found.total
    if found.degraded:
        call.context.log_fields["degraded"] = list(found.degraded)
    if cause == "replay":
        return
    attributes: dict[str, Any] = {
        "trivet.query": query.text,
        "trivet.collection": query.collection,
        "trivet.mode": query.mode,
        "trivet.top_k": query.top_k,
        "trivet.total_found": found.total,
        "trivet.duration_seconds": found.took_ms / 1000,
        "trivet.cause": cause,
    }
    if found.hits:
        attributes["trivet.top_score"] = round(found.hits[0].relevance, 4)
    call.state.outbox.record(
        "search",
        attributes,
        request_id=call.request_id,
        session_id=call.session_id,
        visitor_id=None if own else call.context.visitor_id,
    )


def _cause(call: Call[State]) -> str:
    kind = call.caller.kind
    said = call.context.cause
    if said in _CAUSES and kind in ("neighbour", "administrator"):
        return said
    return "assistant" if kind == "neighbour" else "user"


def _result(hit: Hit, collection: str) -> SearchResult:
    row = hit.row
    headings = [part for part in row.heading_path if part != row.title]
    return SearchResult(
        id=str(row.id),
        type="document",
        title=" › ".join([row.title, *headings]),
        content=row.text,
        snippet=hit.snippet.text,
        highlights=hit.snippet.highlights,
        url=_anchored(row.url, row.anchor) if row.url else None,
        source=_anchored(row.source, row.anchor),
        relevance_score=round(hit.relevance, 4),
        score_dense=None if hit.cosine is None else round(hit.cosine, 4),
        score_lexical=None if hit.bm25 is None else round(hit.bm25, 4),
        metadata={
            **row.metadata,
            "collection": collection,
            "document_id": row.document_id,
            "position": row.position,
            "lang": row.lang,
            "heading_path": row.heading_path,
        },
        neighbours=[
            Neighbour(id=str(near.id), position=near.position, content=near.text)
            for near in hit.neighbours
        ],
    )


def _anchored(address: str, anchor: str) -> str:
    return f"{address}#{anchor}" if anchor and "#" not in address else address
