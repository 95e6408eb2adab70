"""Tongyi Qianwen (Qwen) on DashScope: its OpenAI mode, and its native text generation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.llm_proxy.providers.base import Prepared
from services.llm_proxy.providers.dashscope_request import native_call
from services.llm_proxy.providers.openai_compatible import OpenAiCompatibleProvider

GENERATION_PATH = "/services/aigc/text-generation/generation"
EMBEDDINGS_PATH = "/services/embeddings/text-embedding/text-embedding"


class TongyiProvider(OpenAiCompatibleProvider):
    """`base_url` ends in `/compatible-mode/v1`, `native_base_url` in `/api/v1`."""

    def generation(
        self, body: Mapping[str, Any], model: str, *, stream: bool, request_id: str
    ) -> Prepared:
        """The caller's native body to a model."""
        return self._native(GENERATION_PATH, {**body, "model": model}, request_id, stream=stream)

    def native_embeddings(self, body: Mapping[str, Any], model: str, request_id: str) -> Prepared:
        """The caller's native body with texts to be embedded."""
        return self._native(EMBEDDINGS_PATH, {**body, "model": model}, request_id, stream=False)

    def _native(
        self, path: str, body: Mapping[str, Any], request_id: str, *, stream: bool
    ) -> Prepared:
        self.require_key()
        headers = self.request_headers(request_id)
        return native_call(self.name, self.config, headers, path, body, stream=stream)
