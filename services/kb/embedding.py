"""kb's side of the embedder: queries (cached) and passages → vectors, and which model made them."""

from __future__ import annotations

import base64
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from services.kernel.errors import Overloaded, TrivetError, UpstreamError
from services.kernel.http_client import NeighbourClient

_QUERY_TIMEOUT_SECONDS = 3.0
_PASSAGES_TIMEOUT_SECONDS = 120.0
# After a failure searches do without the embedder for a while, and need not wait for it each time.
_REST_SECONDS = 1.0


@dataclass(frozen=True)
class Model:
    """A model as its vectors know it: two with equal `key` may be compared."""

    key: str
    name: str
    revision: str
    dimensions: int
    query_prefix: str
    passage_prefix: str


class ModelChanged(Overloaded):
    """The embedder came back with another model than it had."""


class Embedder:
    """The embedder's process as kb sees it. Vectors are little-endian float32 of length one.

    Raises Overloaded, UpstreamError or UpstreamTimeout while it is away or loads its model.
    """

    def __init__(self, client: NeighbourClient, *, cache_entries: int) -> None:
        self._client = client
        self._cache_entries = cache_entries
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._model: Model | None = None
        self._away_until = 0.0

    @property
    def known(self) -> Model | None:
        """The model that it had when it was last asked."""
        return self._model

    async def model(self) -> Model:
        """The model that the embedder has now."""
        if self._model is None:
            await self._refresh()
        assert self._model is not None  # noqa: S101  # _refresh sets it or raises
        return self._model

    async def query(self, text: str) -> tuple[Model, bytes]:
        """A query's vector. The newest ones are kept, as many as the setting says."""
        if time.monotonic() < self._away_until:
            raise Overloaded("The embedder is away.")
        try:
            model = await self.model()
            cached = self._cache.get(text)
            if cached is not None:
                self._cache.move_to_end(text)
                return model, cached
            (vector,) = await self._embed([text], "query", _QUERY_TIMEOUT_SECONDS)
        except TrivetError:
            self._away_until = time.monotonic() + _REST_SECONDS
            raise
        self._keep(text, vector)
        return model, vector

    async def passages(self, texts: Sequence[str]) -> tuple[Model, list[bytes]]:
        """Passages' vectors, in order."""
        model = await self.model()
        return model, await self._embed(texts, "passage", _PASSAGES_TIMEOUT_SECONDS)

    async def alive(self) -> bool:
        """Whether the embedder has its model loaded."""
        try:
            await self._refresh()
        except TrivetError:
            return False
        return True

    def _keep(self, text: str, vector: bytes) -> None:
        self._cache[text] = vector
        while len(self._cache) > self._cache_entries:
            self._cache.popitem(last=False)

    async def _embed(
        self, texts: Sequence[str], input_type: str, timeout_seconds: float
    ) -> list[bytes]:
        body = {"input": list(texts), "input_type": input_type, "encoding_format": "base64"}
        response = await self._client.request(
            "POST",
            "/v1/embeddings",
            content=orjson.dumps(body),
            timeout_seconds=timeout_seconds,
        )
        try:
            answer = orjson.loads(response.content)
            vectors = [
                base64.b64decode(item["embedding"], validate=True) for item in answer["data"]
            ]
            key = str(answer["model_key"])
        except (ValueError, KeyError, TypeError) as exc:
            raise UpstreamError("the embedder's answer is not understood.") from exc
        if len(vectors) != len(texts):
            raise UpstreamError("the embedder's answer is not whole.")
        if self._model is None or key != self._model.key:
            await self._refresh()
            raise ModelChanged("The embedding model has changed.")
        return vectors

    async def _refresh(self) -> None:
        response = await self._client.request(
            "GET", "/v1/models", timeout_seconds=_QUERY_TIMEOUT_SECONDS
        )
        try:
            entry = orjson.loads(response.content)["data"][0]
            model = Model(
                key=entry["key"],
                name=entry["id"],
                revision=entry["revision"],
                dimensions=entry["dimensions"],
                query_prefix=entry["query_prefix"],
                passage_prefix=entry["passage_prefix"],
            )
        except (ValueError, LookupError, TypeError) as exc:
            raise UpstreamError("the embedder's answer is not understood.") from exc
        if model != self._model:
            self._cache.clear()
            self._model = model
