"""Applications on Alibaba Cloud's DashScope, as a chat model and natively.

The one model of this provider is the application `app_id`; other applications of the account are
models by their ids where `any_model` allows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from services.kernel.errors import NotFound
from services.llm_proxy.providers.base import Ask, Prepared, ProviderConfig, require_key
from services.llm_proxy.providers.dashscope_chat import ChatDialect
from services.llm_proxy.providers.dashscope_request import (
    application_body,
    native_call,
    prepared,
)
from services.llm_proxy.providers.openai_compatible import Headers

APPLICATION = "app"  # the configured application's name as a model


class DashScopeAppProvider:
    """`POST {base_url}/apps/{app_id}/completion`; `base_url` ends in `/api/v1`."""

    def __init__(self, name: str, config: ProviderConfig, user_agent: str) -> None:
        self.name = name
        self.config = config
        self._headers: Headers = [
            (b"content-type", b"application/json"),
            (b"user-agent", user_agent.encode("ascii")),
            (b"authorization", b"Bearer " + (config.api_key or "").encode("ascii")),
        ]
        self._headers += [(k.lower().encode(), v.encode()) for k, v in config.headers.items()]

    def require_key(self) -> None:
        require_key(self.name, self.config)

    def chat(self, ask: Ask) -> Prepared:
        """An OpenAI-shaped chat with the application."""
        self.require_key()
        incremental = self.config.incremental_output
        body = application_body(ask, incremental=incremental)
        dialect = ChatDialect(
            self.name,
            secret=self.config.api_key or "",
            model=f"{self.name}/{ask.model}",
            request_id=ask.request_id,
            cumulative=not incremental,
            wants_usage=ask.wants_usage,
            extra=ask.extra,
            session=ask.session,
        )
        headers = self._request_headers(ask.request_id)
        path = self._path(ask.model)
        return prepared(self.config, headers, path, body, dialect, stream=ask.stream)

    def completion(
        self, app_id: str, body: Mapping[str, Any], *, stream: bool, request_id: str
    ) -> Prepared:
        """The caller's native body to an application."""
        self.require_key()
        headers, path = self._request_headers(request_id), self._path(app_id)
        return native_call(self.name, self.config, headers, path, body, stream=stream)

    def _path(self, model: str) -> str:
        app_id = self.config.app_id if model == APPLICATION else model
        if not app_id:
            variable = self.config.app_id_variable or "its app_id"
            message = f"Provider {self.name} has no application: set {variable}."
            raise NotFound(message, provider=self.name)
        return f"/apps/{quote(app_id, safe='')}/completion"

    def _request_headers(self, request_id: str) -> Headers:
        return [*self._headers, (b"x-request-id", request_id.encode("ascii"))]
