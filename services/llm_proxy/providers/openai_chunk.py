"""What one chunk or answer in OpenAI's shape says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from services.kernel.errors import UpstreamError
from services.llm_proxy.providers.base import Usage
from services.llm_proxy.providers.failure import complaint_of, translate
from services.llm_proxy.upstream import BrokenOff

_OUTPUT_KEYS = (
    "content",
    "reasoning_content",
    "reasoning",
    "refusal",
    "tool_calls",
    "function_call",
    "audio",
)


def garbage(provider: str) -> UpstreamError:
    """The answer is neither what was asked for nor an error that can be read."""
    return UpstreamError("the provider's answer makes no sense.", provider=provider)


def read_answer(body: bytes, provider: str, secret: str, mark: str | None = None) -> dict[str, Any]:
    """A whole answer. Raises the error that it tells, or UpstreamError for what is no object.

    With the field `mark` it is an answer, whatever else it tells.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise garbage(provider) from exc
    complaint = complaint_of(value)
    if complaint is not None and mark not in value:
        raise translate(complaint, provider=provider, secret=secret)
    if not isinstance(value, dict):
        raise garbage(provider)
    return value


def truncated(provider: str) -> BrokenOff:
    """The stream ended without its proper end: the answer may lack its last part."""
    return BrokenOff("the provider's answer broke off before its end.", provider=provider)


def is_output(value: Mapping[str, Any]) -> bool:
    """Whether a chunk holds something for the reader: text, thoughts, a tool call, or its end."""
    choices = value.get("choices")
    if not isinstance(choices, list):
        return False
    for choice in choices:
        if not isinstance(choice, dict):
            continue
        if choice.get("finish_reason"):
            return True
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict) and any(delta.get(key) for key in _OUTPUT_KEYS):
            return True
    return False


def usage_of(value: Any) -> Usage | None:
    """OpenAI's usage object; None for null, nothing, or numbers that are none."""
    if not isinstance(value, dict):
        return None
    numbers = [
        value.get("prompt_tokens"),
        value.get("completion_tokens", 0),
        detail_of(value, "prompt_tokens_details", "cached_tokens"),
        detail_of(value, "completion_tokens_details", "reasoning_tokens"),
        detail_of(value, "prompt_tokens_details", "cache_creation_input_tokens"),  # Qwen's
    ]
    if not all(isinstance(number, int) and number >= 0 for number in numbers):
        return None
    return Usage(*numbers)


def detail_of(usage: Mapping[str, Any], group: str, name: str) -> int:
    """A number of one of a usage object's groups; 0 where there is none."""
    details = usage.get(group)
    number = details.get(name) if isinstance(details, dict) else None
    return number if isinstance(number, int) and number > 0 else 0


def finish_reasons_of(choices: list[Any]) -> list[str]:
    """The reasons that choices give for their end."""
    return [
        choice["finish_reason"]
        for choice in choices
        if isinstance(choice, dict) and isinstance(choice.get("finish_reason"), str)
    ]
