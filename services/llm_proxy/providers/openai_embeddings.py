"""A whole answer with embeddings."""

from __future__ import annotations

import orjson

from services.llm_proxy.providers.base import Outcome
from services.llm_proxy.providers.openai_chunk import garbage, read_answer, usage_of
from services.llm_proxy.providers.openai_shape import OpenAiDialect


class EmbeddingsDialect(OpenAiDialect):
    """`{"data": [{"embedding": …}], "usage": …}`, passed on as it came.

    Where a vendor answers with one object as `data` (Ark, for parts with pictures), it becomes a
    list of one, as OpenAI's clients read it.
    """

    def whole(self, body: bytes) -> tuple[bytes, Outcome]:
        value = read_answer(body, self._provider, self._secret)
        if not isinstance(value.get("data"), list | dict):
            raise garbage(self._provider)
        outcome = Outcome(usage_of(value.get("usage")))
        if isinstance(value["data"], dict):
            only = {"object": "embedding", "index": 0, **value["data"]}
            return orjson.dumps({**value, "data": [only]}), outcome
        return body.lstrip(), outcome
