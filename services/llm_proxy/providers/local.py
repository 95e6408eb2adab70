"""The small model on this machine: llama.cpp's server, in OpenAI's shape and without a key."""

from __future__ import annotations

from typing import Any

from services.llm_proxy.providers.base import Ask
from services.llm_proxy.providers.openai_compatible import OpenAiCompatibleProvider

DEFAULT_MAX_TOKENS = 512  # a model of this size would otherwise ramble on until its context is full
MAX_JSON_TOKENS = 1024


class LocalProvider(OpenAiCompatibleProvider):
    """An answer is bounded even where the caller set no bound.

    JSON that is cut off is worth nothing, so that models.yaml's `max_tokens`, which keeps a small
    model from rambling, does not hold where a schema brings the answer to its end.
    """

    def chat_body(self, ask: Ask) -> dict[str, Any]:
        body = super().chat_body(ask)
        if body.get("max_tokens") is None and body.get("max_completion_tokens") is None:
            body["max_tokens"] = DEFAULT_MAX_TOKENS
        if body.get("response_format"):
            asked = ask.body.get("max_tokens") or MAX_JSON_TOKENS
            body["max_tokens"] = min(asked, MAX_JSON_TOKENS)
        return body
