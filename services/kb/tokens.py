"""How many tokens texts have: counted by the embedding model's own process, else estimated."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson

from services.kb.chunking import estimated_tokens
from services.kernel.errors import TrivetError, UpstreamError
from services.kernel.http_client import NeighbourClient

_TIMEOUT_SECONDS = 10.0
_REST_SECONDS = 5.0
_TEXTS_AT_ONCE = 200
_ASSUMED_MAX_TOKENS = 512
_ASSUMED_OVERHEAD_TOKENS = 10


@dataclass(frozen=True)
class Counts:
    """`tokens` of each text; `max_tokens`: what the model reads of a passage at most."""

    tokens: list[int]
    max_tokens: int


class TokenCounter:
    """Never raises: while the embedder is away its model's tokens are estimated, on the high side,
    so that what comes in can be found by its words at once."""

    def __init__(self, client: NeighbourClient) -> None:
        self._client = client
        self._away_until = 0.0

    async def count(self, texts: Sequence[str]) -> Counts:
        if time.monotonic() >= self._away_until:
            try:
                return await self._counted(texts)
            except TrivetError:
                self._away_until = time.monotonic() + _REST_SECONDS
        most = _ASSUMED_MAX_TOKENS - _ASSUMED_OVERHEAD_TOKENS
        return Counts([estimated_tokens(text) for text in texts], most)

    async def _counted(self, texts: Sequence[str]) -> Counts:
        tokens: list[int] = []
        most = _ASSUMED_MAX_TOKENS
        for group in _groups(texts):
            response = await self._client.request(
                "POST",
                "/v1/tokens",
                content=orjson.dumps({"input": group}),
                timeout_seconds=_TIMEOUT_SECONDS,
            )
            try:
                answer = orjson.loads(response.content)
                tokens += [int(number) for number in answer["tokens"]]
                most = int(answer["max_tokens"]) - int(answer["overhead_tokens"])
            except (ValueError, LookupError, TypeError) as exc:
                raise UpstreamError("the embedder's answer is not understood.") from exc
        if len(tokens) != len(texts):
            raise UpstreamError("the embedder's answer is not whole.")
        return Counts(tokens, most)


def _groups(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[i : i + _TEXTS_AT_ONCE] for i in range(0, len(texts), _TEXTS_AT_ONCE))
