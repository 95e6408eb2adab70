"""A whole answer with embeddings."""

from __future__ import annotations

import orjson

from services.llm_proxy.providers.base import Outcome
from services.llm_proxy.providers.failure import complaint_of, translate
from services.llm_proxy.providers.openai_chunk import garbage, usage_of
from services.llm_proxy.providers.openai_shape import OpenAiDialect


class EmbeddingsDialect(OpenAiDialect):
    """`{"data": [{"embedding": …}], "usage": …}`, passed on as it came.

    Where a vendor answers with one object as `data` (Ark, for parts with pictures), it becomes a
    list of one, as OpenAI's clients read it.
    """

    def whole(self, body: bytes) -> tuple[bytes, Outcome]:
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as exc:
            raise garbage(self._provider) from exc
        complaint = complaint_of(value)
        if complaint is not None:
            raise translate(complaint, provider=self._provider, secret=self._secret)
        if not isinstance(value, dict) or not isinstance(value.get("data"), list | dict):
            raise garbage(self._provider)
        outcome = Outcome(usage_of(value.get("usage")))
        if isinstance(value["data"], dict):
            only = {"object": "embedding", "index": 0, **value["data"]}
            return orjson.dumps({**value, "data": [only]}), outcome
        return body.lstrip(), outcome
