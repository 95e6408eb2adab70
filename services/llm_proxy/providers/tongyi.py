"""Tongyi Qianwen (Qwen) on DashScope: its OpenAI mode, and its native text generation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.llm_proxy.providers.base import Prepared
from services.llm_proxy.providers.dashscope_request import native_call
from services.llm_proxy.providers.openai_compatible import OpenAiCompatibleProvider

GENERATION_PATH = "/services/aigc/text-generation/generation"


class TongyiProvider(OpenAiCompatibleProvider):
    """`base_url` ends in `/compatible-mode/v1`, `native_base_url` in `/api/v1`."""

    def generation(
        self, body: Mapping[str, Any], model: str, *, stream: bool, request_id: str
    ) -> Prepared:
        """The caller's native body to a model."""
        self.require_key()
        headers, sent = self.request_headers(request_id), {**body, "model": model}
        path = GENERATION_PATH
        return native_call(self.name, self.config, headers, path, sent, stream=stream)
