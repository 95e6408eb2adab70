"""Answers of vendors that do not speak OpenAI's shape, told in it."""

from __future__ import annotations

from typing import Any

import orjson

from services.llm_proxy.providers.base import Usage

DONE = b"data: [DONE]\n\n"


class ChunkWriter:
    """Writes chunks that share `head`: id, created, model."""

    __slots__ = ("head",)

    def __init__(self, head: dict[str, Any]) -> None:
        self.head = {**head, "object": "chat.completion.chunk"}

    def delta(self, delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
        """One chunk of the one answer; `more` stands beside its choices."""
        return self.chunk([{"index": 0, "delta": delta, "finish_reason": finish}], **more)

    def chunk(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        return b"data: " + orjson.dumps({**self.head, "choices": choices, **more}) + b"\n\n"

    def end(self, usage: Usage | None) -> bytes:
        """The usage, where it is wanted, and the end."""
        told = self.chunk([], usage=openai_usage(usage)) if usage is not None else b""
        return told + DONE


def completion(
    head: dict[str, Any], message: dict[str, Any], finish: str, usage: Usage | None, **more: Any
) -> bytes:
    """A whole answer; `more` stands beside its choices."""
    answer = {**head, "object": "chat.completion", **more}
    answer["choices"] = [{"index": 0, "message": message, "finish_reason": finish}]
    if usage is not None:
        answer["usage"] = openai_usage(usage)
    return orjson.dumps(answer)


def openai_usage(usage: Usage) -> dict[str, Any]:
    """Tokens in OpenAI's words."""
    told: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
    if usage.cached_input_tokens:
        told["prompt_tokens_details"] = {"cached_tokens": usage.cached_input_tokens}
    if usage.reasoning_tokens:
        told["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return told
