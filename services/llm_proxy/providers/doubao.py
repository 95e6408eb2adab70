"""Doubao on Volcengine Ark: OpenAI's shape, with bots on a path of their own."""

from __future__ import annotations

from typing import Any

from services.llm_proxy.providers.base import Ask, Prepared
from services.llm_proxy.providers.openai_compatible import Headers, OpenAiCompatibleProvider
from services.llm_proxy.providers.openai_embeddings import EmbeddingsDialect


class DoubaoProvider(OpenAiCompatibleProvider):
    """Models whose id begins with `bot` are bots; Ark logs calls under `X-Client-Request-Id`."""

    def chat_path(self, model: str) -> str:
        return "/bots/chat/completions" if model.startswith("bot") else "/chat/completions"

    def chat_body(self, ask: Ask) -> dict[str, Any]:
        body = super().chat_body(ask)
        if body.get("max_completion_tokens") is not None:
            body.pop("max_tokens", None)  # Ark takes one of the two, never both
        return body

    def embeddings(self, body: dict[str, Any], model: str, request_id: str) -> Prepared:
        """Texts, or parts with pictures, which Ark embeds together on a path of their own."""
        given = body.get("input")
        if not (isinstance(given, list) and given and isinstance(given[0], dict)):
            return super().embeddings(body, model, request_id)
        self.require_key()
        dialect = EmbeddingsDialect(self.name, secret=self.config.api_key or "")
        sent = {**body, "model": model}
        return self._prepared("/embeddings/multimodal", sent, request_id, dialect)

    def request_headers(self, request_id: str) -> Headers:
        named = (b"x-client-request-id", request_id.encode("ascii"))
        return [*super().request_headers(request_id), named]
