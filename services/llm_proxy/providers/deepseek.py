"""DeepSeek: OpenAI's shape under a base without a version.

Its traps live in the reader: `: keep-alive` comments that hide a dead stream (time is counted on
data), blank lines before the JSON of a whole answer, usage on the last chunk with text, 402.
"""

from __future__ import annotations

from services.kernel.errors import TrivetError
from services.llm_proxy.providers.base import Prepared
from services.llm_proxy.providers.openai_compatible import OpenAiCompatibleProvider, no_embeddings


class DeepSeekProvider(OpenAiCompatibleProvider):
    """DeepSeek has no embeddings."""

    def embeddings(self, body: object, model: str, request_id: str) -> Prepared:
        error: TrivetError = no_embeddings(self.name)
        raise error
