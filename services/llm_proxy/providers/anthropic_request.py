"""From a chat in OpenAI's shape to the body of Anthropic's Messages API.

That API refuses fields that it does not know, so what only OpenAI knows is left out, as in the
vendor's own compatibility layer: https://platform.claude.com/docs/en/api/openai-sdk
Everything else is kept: its own fields may be sent beside OpenAI's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.kernel.errors import InvalidRequest
from services.llm_proxy.providers.anthropic_content import conversation, system_of
from services.llm_proxy.providers.base import Ask

DEFAULT_MAX_TOKENS = 4096  # the Messages API wants a number, OpenAI's callers seldom send one
_TOLD_OTHERWISE = frozenset(
    (
        "max_completion_tokens",
        "messages",
        "metadata",
        "model",
        "n",
        "parallel_tool_calls",
        "reasoning_effort",
        "response_format",
        "service_tier",
        "session_id",
        "stop",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "user",
    )
)
_WITHOUT_COUNTERPART = frozenset(
    (
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "modalities",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "safety_identifier",
        "seed",
        "store",
        "top_logprobs",
        "verbosity",
        "web_search_options",
    )
)
_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh"}
_JSON_ONLY = "Answer with one JSON object and nothing else."


def message_body(ask: Ask, most_tokens: int | None) -> dict[str, Any]:
    """The request's body; `most_tokens` is the most that models.yaml allows one answer."""
    asked = ask.body
    if (asked.get("n") or 1) != 1:
        raise InvalidRequest("This provider gives one answer: n must be 1.", param="n")
    left_out = _TOLD_OTHERWISE | _WITHOUT_COUNTERPART
    kept = {k: v for k, v in asked.items() if k not in left_out and v is not None}
    body: dict[str, Any] = {
        **kept,
        "model": ask.model,
        "max_tokens": _max_tokens(asked, most_tokens),
        "messages": conversation(asked["messages"]),
        "stream": ask.stream,
    }
    if system := system_of(asked["messages"]):
        body["system"] = system
    body.update(_sampling(asked))
    body.update(_tools(asked))
    _note_format(body, asked.get("response_format"))
    _note_effort(body, asked.get("reasoning_effort"))
    return body


def _max_tokens(asked: Mapping[str, Any], most_tokens: int | None) -> int:
    wanted = asked.get("max_completion_tokens") or asked.get("max_tokens")
    number: int = wanted or most_tokens or DEFAULT_MAX_TOKENS
    return min(number, most_tokens or number)


def _sampling(asked: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's temperatures go up to 2, Anthropic's to 1; blank stop words are refused there."""
    told: dict[str, Any] = {}
    if asked.get("temperature") is not None:
        told["temperature"] = min(asked["temperature"], 1)
    stop = asked.get("stop")
    words = [stop] if isinstance(stop, str) else stop
    if isinstance(words, list) and (
        kept := [word for word in words if isinstance(word, str) and word.strip()]
    ):
        told["stop_sequences"] = kept
    if asked.get("service_tier") in ("auto", "standard_only"):
        told["service_tier"] = asked["service_tier"]
    metadata = asked.get("metadata")
    user = asked.get("user") or (metadata.get("user_id") if isinstance(metadata, dict) else None)
    if isinstance(user, str):
        told["metadata"] = {"user_id": user}
    return told


def _tools(asked: Mapping[str, Any]) -> dict[str, Any]:
    tools = asked.get("tools")
    if not isinstance(tools, list) or not tools:
        return {}
    told: dict[str, Any] = {"tools": [_tool(tool) for tool in tools]}
    choice = _tool_choice(asked.get("tool_choice"))
    if asked.get("parallel_tool_calls") is False and choice.get("type") != "none":
        choice = {"type": "auto", **choice, "disable_parallel_tool_use": True}
    if choice:
        told["tool_choice"] = choice
    return told


def _tool(tool: Any) -> Any:
    """A function as a tool; a tool of Anthropic's own as it is."""
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict):
        return tool
    told = {name: function[name] for name in ("name", "description", "strict") if name in function}
    told["input_schema"] = function.get("parameters") or {"type": "object", "properties": {}}
    more = {k: v for k, v in tool.items() if k not in ("type", "function")}  # cache_control
    return {**told, **more}


def _tool_choice(choice: Any) -> dict[str, Any]:
    if isinstance(choice, str):
        known = {"auto": "auto", "none": "none", "required": "any"}
        return {"type": known[choice]} if choice in known else {}
    if not isinstance(choice, dict):
        return {}
    function = choice.get("function")
    if choice.get("type") == "function" and isinstance(function, dict):
        return {"type": "tool", "name": function.get("name")}
    return dict(choice)


def _note_format(body: dict[str, Any], wanted: Any) -> None:
    """A schema is enforced by the vendor; "some JSON object" can only be asked for in words."""
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind == "json_schema" and isinstance(wanted.get("json_schema"), dict):
        form = {"type": "json_schema", "schema": wanted["json_schema"].get("schema") or {}}
        body["output_config"] = {**(body.get("output_config") or {}), "format": form}
    elif kind == "json_object":
        system = body.get("system")
        if isinstance(system, list):
            body["system"] = [*system, {"type": "text", "text": _JSON_ONLY}]
        else:
            body["system"] = f"{system}\n\n{_JSON_ONLY}" if system else _JSON_ONLY


def _note_effort(body: dict[str, Any], effort: Any) -> None:
    if effort == "none":
        body.setdefault("thinking", {"type": "disabled"})
    elif isinstance(effort, str) and effort in _EFFORTS:
        body["output_config"] = {"effort": _EFFORTS[effort], **(body.get("output_config") or {})}
