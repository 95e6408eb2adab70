"""A model behind any OpenAI-compatible `/embeddings`, llm_proxy's own included."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np

from services.kb.chunking import estimated_tokens
from services.kb.embedder.model import MAX_CHARACTERS_PER_TOKEN, Encoded, InputType, ModelCard
from services.kernel.errors import Overloaded, TrivetError, UpstreamError

_log = logging.getLogger(__name__)
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_RETRY_SECONDS = 5.0
_MAX_TOKENS = 8_192


@dataclass(frozen=True)
class Endpoint:
    """`base_url` ends before `/embeddings`; the prefixes are put before queries and passages."""

    base_url: str
    model: str
    key: str
    query_prefix: str = ""
    passage_prefix: str = ""


class RemoteEncoder:
    """Raises Overloaded while the endpoint is away, UpstreamError when it refuses the texts."""

    passage_threads = 0

    def __init__(self, endpoint: Endpoint) -> None:
        self._model = endpoint.model
        headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
        self._client = httpx.Client(
            base_url=endpoint.base_url.rstrip("/"), headers=headers, timeout=_TIMEOUT
        )
        self.card = _card(endpoint, 0)
        dimensions = self.encode(["dimensions"], "query").vectors.shape[1]
        self.card = _card(endpoint, dimensions)

    def encode(self, texts: Sequence[str], input_type: InputType) -> Encoded:
        prefix = self.card.prefix(input_type)
        limit = _MAX_TOKENS * MAX_CHARACTERS_PER_TOKEN
        answer = self._ask([prefix + text[:limit] for text in texts])
        try:
            items = sorted(answer["data"], key=lambda item: int(item["index"]))
            vectors = np.array([item["embedding"] for item in items], np.float32)
            tokens = int((answer.get("usage") or {}).get("total_tokens") or 0)
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise UpstreamError("the embeddings endpoint's answer is not understood.") from exc
        lengths = np.linalg.norm(vectors, axis=-1, keepdims=True) if vectors.ndim == 2 else None
        if lengths is None or len(vectors) != len(texts) or not np.all(lengths > 0):
            raise UpstreamError("the embeddings endpoint's answer is not whole.")
        return Encoded(vectors / lengths, tokens)

    def count(self, texts: Sequence[str]) -> list[int]:
        """An estimate: the API tells tokens only of what it embeds."""
        return [estimated_tokens(text) for text in texts]

    def rest(self) -> None:
        """Nothing is kept here."""

    def _ask(self, texts: list[str]) -> Any:
        body = {"model": self._model, "input": texts, "encoding_format": "float"}
        try:
            response = self._client.post("/embeddings", json=body)
        except httpx.HTTPError as exc:
            raise Overloaded("The embeddings endpoint cannot be reached.") from exc
        if response.status_code in (400, 413, 422):
            raise UpstreamError("the embeddings endpoint refuses the texts.")
        if response.is_error:
            raise Overloaded(f"The embeddings endpoint failed with status {response.status_code}.")
        try:
            return response.json()
        except ValueError as exc:
            raise UpstreamError("the embeddings endpoint gave no JSON.") from exc


def load_remote(endpoint: Endpoint) -> RemoteEncoder:
    """Asks until the endpoint answers; blocks the thread that embeds, and nothing else."""
    said = ""
    while True:
        try:
            return RemoteEncoder(endpoint)
        except TrivetError as error:
            if error.message != said:
                _log.warning("the model waits", extra={"fields": {"problem": error.message}})
            said = error.message
        time.sleep(_RETRY_SECONDS)


def _card(endpoint: Endpoint, dimensions: int) -> ModelCard:
    """An endpoint tells no revision of its model: its address and the model's name stand for it."""
    revision = hashlib.sha256(f"{endpoint.base_url}\0{endpoint.model}".encode()).hexdigest()
    return ModelCard(
        name=endpoint.model,
        revision=revision,
        dimensions=dimensions,
        max_tokens=_MAX_TOKENS,
        query_prefix=endpoint.query_prefix,
        passage_prefix=endpoint.passage_prefix,
        variant="remote",
    )
