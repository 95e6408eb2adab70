"""Any vendor with OpenAI's chat completions: the base of the adapters that differ in little."""

from __future__ import annotations

from typing import Any

import orjson

from services.kernel.errors import InvalidRequest, NotFound
from services.llm_proxy.providers.base import Ask, Dialect, Prepared, ProviderConfig, require_key
from services.llm_proxy.providers.openai_embeddings import EmbeddingsDialect
from services.llm_proxy.providers.openai_shape import OpenAiDialect
from services.llm_proxy.upstream import Request, parse_url

Headers = list[tuple[bytes, bytes]]


class OpenAiCompatibleProvider:
    """`POST {base_url}/chat/completions` and `/embeddings`; unknown fields are kept."""

    def __init__(self, name: str, config: ProviderConfig, user_agent: str) -> None:
        self.name = name
        self.config = config
        self._origin, self._base = parse_url(config.base_url)
        self._headers: Headers = [
            (b"content-type", b"application/json"),
            (b"user-agent", user_agent.encode("ascii")),
        ]
        if config.api_key:
            self._headers.append((b"authorization", b"Bearer " + config.api_key.encode("ascii")))
        self._headers += [(k.lower().encode(), v.encode()) for k, v in config.headers.items()]

    def require_key(self) -> None:
        require_key(self.name, self.config)

    def chat(self, ask: Ask) -> Prepared:
        """The chat as a request. Raises NotFound without a key, InvalidRequest when too deep."""
        self.require_key()
        body = self.chat_body(ask)
        return self._prepared(self.chat_path(ask.model), body, ask.request_id, self._dialect(ask))

    def embeddings(self, body: dict[str, Any], model: str, request_id: str) -> Prepared:
        """Texts as a request for their embeddings."""
        self.require_key()
        dialect = EmbeddingsDialect(self.name, secret=self.config.api_key or "")
        return self._prepared("/embeddings", {**body, "model": model}, request_id, dialect)

    # -- what an adapter may say otherwise --------------------------------------------------------

    def chat_path(self, model: str) -> str:
        return "/chat/completions"

    def chat_body(self, ask: Ask) -> dict[str, Any]:
        """The caller's body with the vendor's model, asking for usage at the end of a stream."""
        body = {**ask.body, "model": ask.model}
        listed = self.config.models.get(ask.model)
        if listed and listed.max_tokens and not body.get("max_completion_tokens"):
            body["max_tokens"] = min(body.get("max_tokens") or listed.max_tokens, listed.max_tokens)
        if ask.stream and self.config.stream_usage:
            body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
        return body

    def request_headers(self, request_id: str) -> Headers:
        return [*self._headers, (b"x-request-id", request_id.encode("ascii"))]

    def _dialect(self, ask: Ask) -> Dialect:
        return OpenAiDialect(
            self.name,
            secret=self.config.api_key or "",
            strip_usage=self.config.stream_usage and not ask.wants_usage,
            extra=ask.extra,
        )

    def _prepared(
        self, path: str, body: dict[str, Any], request_id: str, dialect: Dialect
    ) -> Prepared:
        payload = encode_json(body)
        headers = self.request_headers(request_id)
        request = Request.build("POST", self._origin, self._base + path, headers, payload)
        return Prepared(request, dialect, self.config.timeouts, len(payload))


def encode_json(body: Any) -> bytes:
    """JSON bytes. Raises InvalidRequest for a value that is nested too deeply to be written."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError as exc:
        raise InvalidRequest("The body is nested too deeply.") from exc


def no_embeddings(name: str) -> NotFound:
    """The provider offers no embeddings."""
    return NotFound(f"Provider {name} has no embeddings.", param="model", provider=name)
