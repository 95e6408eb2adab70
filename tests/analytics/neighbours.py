"""Stand-ins for kb and the embedder, over real HTTP: what analytics needs of them, and no more.

A vector has a place for each character, so questions of the same characters lie close together.
kb finds a document when a question shares most of its characters with it.
"""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.server import running

_PLACES = 256


@dataclass
class Neighbours:
    """What was asked of them; `away`: the embedder answers with 503."""

    kb_url: str = ""
    embedder_url: str = ""
    away: bool = False
    broken: bool = False
    pending: list[int] = field(default_factory=lambda: [2, 1, 0])
    documents: dict[str, str] = field(default_factory=dict)
    credentials: list[tuple[str, str]] = field(default_factory=list)

    def note(self, request: Request) -> None:
        self.credentials.append((request.url.path, request.headers["authorization"]))


def _vector(text: str) -> list[float]:
    vector = [0.0] * _PLACES
    for character in text.lower():
        vector[hashlib.blake2b(character.encode(), digest_size=1).digest()[0]] += 1.0
    return vector


def _finds(question: str, content: str) -> bool:
    return sum(character in content for character in question) > 0.7 * len(question)


@contextmanager
def neighbours() -> Iterator[Neighbours]:
    known = Neighbours()

    async def embed(request: Request) -> Response:
        known.note(request)
        if known.away:
            return JSONResponse({"error": {"message": "loading"}}, 503)
        texts = (await request.json())["input"]
        data = [{"index": n, "embedding": _vector(text)} for n, text in enumerate(texts)]
        return JSONResponse({"data": data, "model": "m", "model_key": "m-1"})

    async def search(request: Request) -> Response:
        body = await request.json()
        found = [
            [
                {"source": f"{source}#top", "relevance_score": 0.9}
                for source, content in known.documents.items()
                if not known.pending and _finds(query, content)
            ]
            for query in body["queries"]
        ]
        return JSONResponse({"searches": [{"results": results} for results in found]})

    async def put(request: Request) -> Response:
        known.note(request)
        if known.broken:
            return JSONResponse({"error": {"message": "no"}}, 500)
        body: dict[str, Any] = await request.json()
        known.documents[body["source"]] = body["content"]
        return JSONResponse({"id": "1", "source": body["source"], "outcome": "created"})

    async def collections(_request: Request) -> Response:
        waiting = known.pending.pop(0) if known.pending else 0
        return JSONResponse({"items": [{"name": "site", "pending": waiting}]})

    with ExitStack() as stack:
        embedder = Starlette(routes=[Route("/v1/embeddings", embed, methods=["POST"])])
        kb = Starlette(
            routes=[
                Route("/api/search", search, methods=["POST"]),
                Route("/api/documents", put, methods=["PUT"]),
                Route("/api/collections", collections),
            ]
        )
        known.embedder_url = stack.enter_context(running(embedder))
        known.kb_url = stack.enter_context(running(kb))
        yield known
