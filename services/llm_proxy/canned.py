"""Answers that no model writes, in the shape of OpenAI's API."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import orjson

_NOTHING = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


@dataclass(frozen=True, slots=True)
class CannedAnswer:
    """`text` as the whole answer of `model`, with its sources."""

    text: str
    model: str
    request_id: str
    citations: list[dict[str, Any]] = field(default_factory=list)
    wants_usage: bool = False  # a stream ends with it where the caller asked for it

    def whole(self) -> bytes:
        """The body of a call that does not stream."""
        message = {"role": "assistant", "content": self.text, "citations": self.citations}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = {**self._head("chat.completion"), "choices": [choice], "usage": _NOTHING}
        return orjson.dumps(body)

    def stream(self) -> bytes:
        """The events of a stream; the first carries the sources."""
        delta = {"role": "assistant", "content": self.text}
        first = {**self._chunk(delta, None), "citations": self.citations}
        chunks = [first, self._chunk({}, "stop")]
        if self.wants_usage:
            chunks.append({**self._head("chat.completion.chunk"), "choices": [], "usage": _NOTHING})
        events = (*map(orjson.dumps, chunks), b"[DONE]")
        return b"".join(b"data: " + event + b"\n\n" for event in events)

    def _chunk(self, delta: dict[str, str], finish_reason: str | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

    def _head(self, kind: str) -> dict[str, Any]:
        identity = f"chatcmpl-{self.request_id}"
        return {"id": identity, "object": kind, "created": int(time.time()), "model": self.model}
