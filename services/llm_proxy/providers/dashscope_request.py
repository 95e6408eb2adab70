"""Requests in DashScope's own shape: from OpenAI's words, or the caller's own body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.llm_proxy.providers.base import Ask, Prepared, ProviderConfig
from services.llm_proxy.providers.dashscope_native import NativeDialect
from services.llm_proxy.providers.openai_compatible import Headers, encode_json
from services.llm_proxy.upstream import Request, parse_url

_INPUT_KEYS = frozenset(
    (
        "session_id",
        "biz_params",
        "image_list",
        "file_list",
        "memory_id",
        "doc_tag_codes",
        "doc_reference_type",
    )
)
_NOT_PARAMETERS = frozenset(
    ("model", "messages", "prompt", "stream", "stream_options", "n", "user", "metadata", "store")
)


def native_call(
    provider: str,
    config: ProviderConfig,
    headers: Headers,
    path: str,
    body: Mapping[str, Any],
    *,
    stream: bool,
) -> Prepared:
    """The caller's native body under DashScope's native base, unknown fields kept."""
    sent = {name: value for name, value in body.items() if name != "stream"}
    dialect = NativeDialect(provider, secret=config.api_key or "")
    return prepared(config, headers, path, sent, dialect, stream=stream)


def prepared(
    config: ProviderConfig,
    headers: Headers,
    path: str,
    body: Mapping[str, Any],
    dialect: NativeDialect,
    *,
    stream: bool,
) -> Prepared:
    """A native request; streaming is asked for by a header."""
    origin, base = parse_url(config.native_base_url or config.base_url)
    if stream:
        headers = [*headers, (b"x-dashscope-sse", b"enable"), (b"accept", b"text/event-stream")]
    payload = encode_json(body)
    request = Request.build("POST", origin, base + path, headers, payload)
    return Prepared(request, dialect, config.timeouts, len(payload))


def application_body(ask: Ask, *, incremental: bool) -> dict[str, Any]:
    """An OpenAI-shaped chat as an application's input and parameters.

    With a `session_id` the vendor keeps the history itself, and only the last words are sent.
    """
    body = ask.body
    given = {name: body[name] for name in _INPUT_KEYS if body.get(name) is not None}
    if ask.session is not None and ask.session.known is not None:
        given["session_id"] = ask.session.known
    messages = [_plain(message) for message in body["messages"]]
    images = _images(body["messages"][-1])
    if images:
        given.setdefault("image_list", images)
    if given.get("session_id") or len(messages) == 1:
        given["prompt"] = messages[-1]["content"]
    else:
        given["messages"] = messages
    parameters = {
        name: value
        for name, value in body.items()
        if name not in _INPUT_KEYS and name not in _NOT_PARAMETERS and value is not None
    }
    if ask.stream:
        parameters["incremental_output"] = incremental
    return {"input": given, "parameters": parameters}


def _plain(message: Mapping[str, Any]) -> dict[str, str]:
    return {"role": str(message["role"]), "content": text_of_message(message)}


def text_of_message(message: Mapping[str, Any]) -> str:
    """A message's text; parts that are no text are left out."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "\n".join(text for text in texts if isinstance(text, str))


def _images(message: Mapping[str, Any]) -> list[str]:
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    found = (part.get("image_url") for part in parts if isinstance(part, dict))
    urls = (image.get("url") if isinstance(image, dict) else image for image in found)
    return [url for url in urls if isinstance(url, str)]
