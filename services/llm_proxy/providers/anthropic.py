"""Anthropic's Messages API as an upstream: asked in its words, answered in OpenAI's.

https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

from services.llm_proxy.providers.anthropic_answer import MessageDialect
from services.llm_proxy.providers.anthropic_request import message_body
from services.llm_proxy.providers.base import Ask, Prepared, ProviderConfig, require_key
from services.llm_proxy.providers.openai_compatible import Headers, encode_json
from services.llm_proxy.upstream import Request, parse_url

VERSION = "2023-06-01"  # of the API: the only one there is


class AnthropicProvider:
    """`POST {base_url}/messages`; `base_url` ends in `/v1`. There are no embeddings."""

    def __init__(self, name: str, config: ProviderConfig, user_agent: str) -> None:
        self.name = name
        self.config = config
        self._origin, self._base = parse_url(config.base_url)
        named = {"anthropic-version": VERSION, **{k.lower(): v for k, v in config.headers.items()}}
        self._headers: Headers = [
            (b"content-type", b"application/json"),
            (b"user-agent", user_agent.encode("ascii")),
            *((key.encode("ascii"), value.encode("ascii")) for key, value in named.items()),
        ]
        if config.api_key:
            self._headers.append((b"x-api-key", config.api_key.encode("ascii")))

    def require_key(self) -> None:
        require_key(self.name, self.config)

    def chat(self, ask: Ask) -> Prepared:
        """The chat as a request. Raises NotFound without a key, InvalidRequest for what the
        Messages API cannot do."""
        self.require_key()
        listed = self.config.models.get(ask.model)
        payload = encode_json(message_body(ask, listed.max_tokens if listed else None))
        dialect = MessageDialect(
            self.name,
            secret=self.config.api_key or "",
            wants_usage=ask.wants_usage,
            extra=ask.extra,
        )
        headers = [*self._headers, (b"x-request-id", ask.request_id.encode("ascii"))]
        request = Request.build("POST", self._origin, self._base + "/messages", headers, payload)
        return Prepared(request, dialect, self.config.timeouts, len(payload))
