"""The embedder as an application: `POST /v1/embeddings`, `GET /v1/models`."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict

from services.kb.embedder.loading import loader
from services.kb.embedder.model import Encoded
from services.kb.embedder.scheduler import BatchScheduler
from services.kb.embedder.schemas import (
    Embedding,
    EmbeddingRequest,
    EmbeddingResponse,
    ModelEntry,
    ModelList,
    TokensRequest,
    TokensResponse,
    Usage,
)
from services.kb.embedder.settings import Settings
from services.kernel.app import Application, build_app
from services.kernel.auth import Access
from services.kernel.errors import NotFound, Overloaded, Unprocessable
from services.kernel.health import Check
from services.kernel.routing import Call, operation

SERVICE = "embedder"
_MARKS = 2  # a text's beginning and end


def create_app(settings: Settings) -> Application:
    """Raises ConfigurationError when the chosen model's folder, package or name is not there."""
    load = loader(settings)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[BatchScheduler]:
        scheduler = BatchScheduler(
            load,
            batch_texts=settings.batch_texts,
            max_waiting_texts=settings.max_waiting_texts,
        )
        scheduler.start()
        try:
            yield scheduler
        finally:
            scheduler.stop()

    operations = [
        operation("POST", "/v1/embeddings", embed, access=Access.NEIGHBOUR),
        operation("POST", "/v1/tokens", tokens, access=Access.NEIGHBOUR),
        operation("GET", "/v1/models", models, access=Access.NEIGHBOUR),
    ]
    return build_app(SERVICE, settings, operations, lifespan, readiness)


async def readiness(scheduler: BatchScheduler) -> Mapping[str, Check]:
    return {"model": Check(scheduler.state == "ready", scheduler.state)}


async def embed(call: Call[BatchScheduler], body: EmbeddingRequest) -> EmbeddingResponse:
    """Embeds texts"""
    card = _loaded(call.state).data[0]
    if body.model and body.model != card.id:
        raise NotFound(f"The model here is {card.id}.", param="model")
    if body.dimensions not in (None, card.dimensions):
        raise Unprocessable(f"The model has {card.dimensions} dimensions.", param="dimensions")
    texts = [body.input] if isinstance(body.input, str) else body.input
    encoded = await call.state.encode(texts, body.input_type)
    call.context.log_fields["texts"] = len(texts)
    return EmbeddingResponse(
        data=_embeddings(encoded, body.encoding_format == "base64"),
        model=card.id,
        model_key=card.key,
        usage=Usage(prompt_tokens=encoded.tokens, total_tokens=encoded.tokens),
    )


async def tokens(call: Call[BatchScheduler], body: TokensRequest) -> TokensResponse:
    """Counts texts' tokens as the model reads them"""
    card = _loaded(call.state).data[0]
    counts = await call.state.count([*body.input, card.passage_prefix])
    return TokensResponse(
        tokens=counts[:-1],
        max_tokens=card.max_tokens,
        overhead_tokens=counts[-1] + _MARKS,
        model_key=card.key,
    )


async def models(call: Call[BatchScheduler]) -> ModelList:
    """The model, with what its vectors depend on"""
    return _loaded(call.state)


def _loaded(scheduler: BatchScheduler) -> ModelList:
    if scheduler.encoder is None:
        raise Overloaded(f"The embedding model is not ready: {scheduler.state}.")
    card = scheduler.encoder.card
    fields = asdict(card)
    return ModelList(data=[ModelEntry(id=fields.pop("name"), key=card.key, **fields)])


def _embeddings(encoded: Encoded, as_base64: bool) -> list[Embedding]:
    if as_base64:
        rows = encoded.vectors.astype("<f4", copy=False)
        values = [base64.b64encode(row.tobytes()).decode() for row in rows]
        return [Embedding(index=i, embedding=value) for i, value in enumerate(values)]
    return [Embedding(index=i, embedding=row) for i, row in enumerate(encoded.vectors.tolist())]
