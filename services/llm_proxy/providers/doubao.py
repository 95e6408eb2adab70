"""Doubao on Volcengine Ark: OpenAI's shape, with bots on a path of their own."""

from __future__ import annotations

from typing import Any

from services.llm_proxy.providers.base import Ask
from services.llm_proxy.providers.openai_compatible import Headers, OpenAiCompatibleProvider


class DoubaoProvider(OpenAiCompatibleProvider):
    """Models whose id begins with `bot` are bots; Ark logs calls under `X-Client-Request-Id`."""

    def chat_path(self, model: str) -> str:
        return "/bots/chat/completions" if model.startswith("bot") else "/chat/completions"

    def chat_body(self, ask: Ask) -> dict[str, Any]:
        body = super().chat_body(ask)
        if body.get("max_completion_tokens") is not None:
            body.pop("max_tokens", None)  # Ark takes one of the two, never both
        return body

    def request_headers(self, request_id: str) -> Headers:
        named = (b"x-client-request-id", request_id.encode("ascii"))
        return [*super().request_headers(request_id), named]
