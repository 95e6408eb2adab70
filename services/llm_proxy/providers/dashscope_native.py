"""Answers in DashScope's own shape, passed on natively.

Traps: an error can come with status 200 inside the stream; while a stream runs its `finish_reason`
is the text "null"; there is no `[DONE]`; usage is a running total, so the last one counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from services.kernel.errors import TrivetError, UpstreamError
from services.kernel.sse import SseEvent
from services.llm_proxy.providers import openai_chunk
from services.llm_proxy.providers.base import Outcome, Usage
from services.llm_proxy.providers.failure import (
    complaint_of,
    status_comment,
    translate,
    translate_answer,
)
from services.llm_proxy.providers.frames import Frames, data_backwards, read_events, spans
from services.llm_proxy.providers.openai_chunk import detail_of, garbage, truncated


class NativeDialect:
    """An application's or a model's answer in DashScope's shape, as it comes."""

    def __init__(self, provider: str, *, secret: str = "") -> None:
        self._provider = provider
        self._secret = secret

    def stream(self) -> NativeStream:
        return NativeStream(self._provider, self._secret)

    def whole(self, body: bytes) -> tuple[bytes, Outcome]:
        value = read_answer(body, self._provider, self._secret)
        return body.lstrip(), outcome_of(value)

    def error(self, status: int, headers: Mapping[bytes, bytes], body: bytes) -> TrivetError:
        return translate_answer(status, headers, body, provider=self._provider, secret=self._secret)


class NativeStream:
    """One native stream on its way to the caller."""

    def __init__(self, provider: str, secret: str) -> None:
        self.began = self.alive = self.ended = False
        self.failure: TrivetError | None = None
        self._provider = provider
        self._secret = secret
        self._frames = Frames()
        self._pending: list[bytes] = []
        self._pieces = 0

    def feed(self, data: bytes) -> bytes:
        events = self._frames.cut(data)
        if not events:
            self.alive = True
            if self._frames.oversize:
                self.failure = UpstreamError("an event is too large.", provider=self._provider)
            return b""
        pieces = events.count(b"data:")
        self.alive = pieces > 0
        self._pieces += pieces
        if self.began and b"event:error" not in events and b"event: error" not in events:
            return events
        return self._inspect(events)

    def _inspect(self, events: bytes) -> bytes:
        for start, end in spans(events):
            for event in read_events(events[start:end]):
                value = decoded(event.data)
                self.failure = failure_of(event, value, self._provider, self._secret)
                if self.failure is not None:
                    return self._given()
                self.began = self.began or is_output(value)
            self._pending.append(events[start:end])
        return self._given()

    def _given(self) -> bytes:
        """What waited for the first real output, once that is there."""
        if not self.began:
            return b""
        given, self._pending = b"".join(self._pending), []
        return given

    def close(self) -> bytes:
        rest = self._frames.rest()
        given = self.feed(rest + b"\n\n") if rest else b""
        self.ended = bool(self.outcome().finish_reasons)
        if not self.ended and self.failure is None:
            self.failure = truncated(self._provider)
        return given

    def outcome(self) -> Outcome:
        for data in data_backwards(self._frames.tail()):
            value = decoded(data)
            if isinstance(value, dict) and isinstance(value.get("output"), dict):
                outcome = outcome_of(value)
                outcome.pieces = self._pieces
                return outcome
        return Outcome(pieces=self._pieces)


def decoded(data: bytes) -> Any:
    """The JSON of an event; None where it is none."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def failure_of(event: SseEvent, value: Any, provider: str, secret: str) -> TrivetError | None:
    """The error that an event tells, in whatever way; None for a good one."""
    status = status_comment(event.comments)
    complaint = complaint_of(value, status=status)
    if complaint is not None and "output" not in value:
        return translate(complaint, provider=provider, secret=secret)
    if event.event == "error" or status:
        return UpstreamError("the provider reported an error.", provider=provider)
    if not isinstance(value, dict) or not isinstance(value.get("output"), dict):
        return garbage(provider)
    return None


def read_answer(body: bytes, provider: str, secret: str) -> dict[str, Any]:
    """A whole answer. Raises the error that it holds, or UpstreamError when it makes no sense."""
    value = openai_chunk.read_answer(body, provider, secret, mark="output")
    if not isinstance(value.get("output"), dict):
        raise garbage(provider)
    return value


def text_of(output: Mapping[str, Any]) -> str:
    """The answer's text, in either of the two places where DashScope puts it."""
    text = output.get("text")
    if isinstance(text, str):
        return text
    content = _message(output).get("content")
    return content if isinstance(content, str) else ""


def finish_of(output: Mapping[str, Any]) -> str | None:
    """Why the answer ended; None while it runs, which DashScope writes as the text "null"."""
    choices = output.get("choices")
    found = output.get("finish_reason")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        found = choices[0].get("finish_reason")
    return found if isinstance(found, str) and found not in ("", "null") else None


def is_output(value: Mapping[str, Any]) -> bool:
    """Whether an event holds something for the reader: text, thoughts, or the end."""
    output = value["output"]
    message = _message(output)
    return bool(
        text_of(output)
        or finish_of(output)
        or output.get("thoughts")
        or any(message.get(key) for key in ("reasoning_content", "tool_calls", "content"))
    )


def usage_of(value: Any) -> Usage | None:
    """DashScope's usage, of one model or of each model that an application used; for embeddings it
    tells a total alone."""
    if not isinstance(value, dict):
        return None
    total = value.get("total_tokens")
    if isinstance(total, int) and not value.keys() & {"input_tokens", "models"}:
        return Usage(total, 0)
    parts = value["models"] if isinstance(value.get("models"), list) else [value]
    counted = [part for part in parts if isinstance(part, dict) and _is_usage(part)]
    if not counted:
        return None
    return Usage(
        sum(part["input_tokens"] for part in counted),
        sum(int(part.get("output_tokens") or 0) for part in counted),
        sum(detail_of(part, "prompt_tokens_details", "cached_tokens") for part in counted),
        sum(detail_of(part, "output_tokens_details", "reasoning_tokens") for part in counted),
    )


def _is_usage(part: Mapping[str, Any]) -> bool:
    return isinstance(part.get("input_tokens"), int)


def outcome_of(value: Mapping[str, Any]) -> Outcome:
    """What a whole answer, or the last event of a stream, tells of the call."""
    finish = finish_of(value["output"])
    outcome = Outcome(usage_of(value.get("usage")), finish_reasons=[finish] if finish else [])
    outcome.pieces = len(text_of(value["output"])) // 3 + 1
    return outcome


def _message(output: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = output.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        message = choices[0].get("message")
        return message if isinstance(message, dict) else {}
    return {}
