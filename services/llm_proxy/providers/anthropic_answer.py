"""Answers of Anthropic's Messages API, told in OpenAI's shape.

A stream is message_start, then for each block content_block_start, _delta, _stop, then
message_delta with the reason of the end, and message_stop; ping and error may come anywhere.
Usage in message_delta is a running total. There is no `[DONE]`.
https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from services.kernel.errors import TrivetError, UpstreamError
from services.kernel.sse import SseError, SseEvent, SseParser
from services.llm_proxy.providers.base import Outcome, Usage
from services.llm_proxy.providers.chunk_writer import ChunkWriter, completion
from services.llm_proxy.providers.failure import complaint_of, translate, translate_answer
from services.llm_proxy.providers.frames import MAX_EVENT_BYTES
from services.llm_proxy.providers.openai_chunk import garbage, read_answer, truncated

_FINISH = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_THINKING = ("thinking", "redacted_thinking")


class MessageDialect:
    """`extra` is put into the first chunk, or into the message of a whole answer."""

    def __init__(
        self, provider: str, *, secret: str, wants_usage: bool, extra: dict[str, Any] | None = None
    ) -> None:
        self._provider = provider
        self._secret = secret
        self._wants_usage = wants_usage
        self._extra = extra or {}

    def stream(self) -> MessageStream:
        return MessageStream(self._provider, self._secret, self._wants_usage, self._extra)

    def whole(self, body: bytes) -> tuple[bytes, Outcome]:
        """The answer in OpenAI's shape. Raises the error that it holds, or UpstreamError."""
        value = read_answer(body, self._provider, self._secret)
        content = value.get("content")
        if not isinstance(content, list) or not all(isinstance(block, dict) for block in content):
            raise garbage(self._provider)
        finish, usage = finish_of(value.get("stop_reason")), usage_of(value.get("usage"))
        head = head_of(value)
        message = {**_message(content), **self._extra}
        outcome = Outcome(usage, head["model"], [finish], len(message["content"] or "") // 3 + 1)
        return completion(head, message, finish, usage), outcome

    def error(self, status: int, headers: Mapping[bytes, bytes], body: bytes) -> TrivetError:
        return translate_answer(status, headers, body, provider=self._provider, secret=self._secret)


class MessageStream:
    """One stream of the Messages API, told in chunks."""

    def __init__(
        self, provider: str, secret: str, wants_usage: bool, extra: dict[str, Any]
    ) -> None:
        self.began = self.alive = self.ended = False
        self.failure: TrivetError | None = None
        self._provider = provider
        self._secret = secret
        self._wants_usage = wants_usage
        self._extra = extra
        self._parser = SseParser(max_event_bytes=MAX_EVENT_BYTES)
        self._writer = ChunkWriter(head_of({}))
        self._counts: dict[str, Any] = {}  # of the usage, as last told
        self._finish: str | None = None
        self._pieces = 0
        self._tools = 0
        self._thoughts = 0
        self._block: dict[str, Any] = {}  # the one that is being written
        self._said = ""  # in it, where it is no text: thoughts, or a call's arguments

    def feed(self, data: bytes) -> bytes:
        try:
            events = self._parser.feed(data)
        except SseError:
            self.failure = UpstreamError("an event is too large.", provider=self._provider)
            return b""
        self.alive = not events
        given: list[bytes] = []
        for event in events:
            value = self._read(event)
            if self.failure is not None:
                break
            self.alive = self.alive or value.get("type") != "ping"
            for delta in self._deltas(value):
                given.append(self._told(delta))
            if value.get("type") == "message_stop":
                given.append(self._end())
                break
        return b"".join(given)

    def close(self) -> bytes:
        given = self.feed(b"\n\n") if not self.ended else b""
        if not self.ended and self.failure is None:
            self.failure = truncated(self._provider)
        return given

    def outcome(self) -> Outcome:
        """Only the last usage counts: the first one knows nothing of the answer's length."""
        usage = usage_of(self._counts) if self._finish else None
        reasons = [self._finish] if self._finish else []
        return Outcome(usage, self._writer.head["model"] or None, reasons, self._pieces)

    def _read(self, event: SseEvent) -> dict[str, Any]:
        try:
            value = orjson.loads(event.data)
        except orjson.JSONDecodeError:
            value = None
        complaint = complaint_of(value)
        if complaint is not None:
            self.failure = translate(complaint, provider=self._provider, secret=self._secret)
        elif event.event == "error" or not isinstance(value, dict):
            self.failure = garbage(self._provider)
        return value if isinstance(value, dict) else {}

    def _deltas(self, value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """What one event says, as deltas of OpenAI's."""
        kind = value.get("type")
        if kind == "message_start":
            message = _mapping(value.get("message"))
            self._writer = ChunkWriter(head_of(message))
            self._counts = dict(_mapping(message.get("usage")))
        elif kind == "content_block_start":
            yield from self._block_start(_mapping(value.get("content_block")))
        elif kind == "content_block_delta":
            yield from self._block_delta(_mapping(value.get("delta")))
        elif kind == "content_block_stop":
            yield from self._block_stop()
        elif kind == "message_delta":
            reason = _mapping(value.get("delta")).get("stop_reason")
            self._finish = finish_of(reason) if reason else self._finish
            told = _mapping(value.get("usage"))
            self._counts |= {name: count for name, count in told.items() if count is not None}

    def _block_start(self, block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        self._block, self._said = dict(block), ""
        if block.get("type") == "tool_use":
            self._tools += 1
            self._said = orjson.dumps(block["input"]).decode() if block.get("input") else ""
            function = {"name": block.get("name"), "arguments": self._said}
            yield self._call(id=block.get("id"), type="function", function=function)
        elif block.get("type") == "text" and (text := _text(block, "text")):
            yield {"content": text}

    def _block_delta(self, delta: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        if text := _text(delta, "text"):
            yield {"content": text}
        elif text := _text(delta, "thinking"):
            self._said += text
            yield {"reasoning_content": text}
        elif text := _text(delta, "partial_json"):
            self._said += text
            yield self._call(function={"arguments": text})
        elif text := _text(delta, "signature"):
            self._block["signature"] = text

    def _block_stop(self) -> Iterator[dict[str, Any]]:
        """A call without arguments has an empty object; thoughts are told whole, with their
        signature, because they must be sent back whole."""
        block, said = self._block, self._said
        self._block, self._said = {}, ""
        if block.get("type") == "tool_use" and not said:
            yield self._call(function={"arguments": "{}"})
        elif block.get("type") in _THINKING and (block.get("signature") or block.get("data")):
            whole = {"thinking": said} if block["type"] == "thinking" else {}
            self._thoughts += 1
            yield {"thinking_blocks": [{"index": self._thoughts - 1, **block, **whole}]}

    def _call(self, **call: Any) -> dict[str, Any]:
        return {"tool_calls": [{"index": self._tools - 1, **call}]}

    def _told(self, delta: dict[str, Any]) -> bytes:
        self._pieces += 1
        return self._beginning() + self._writer.delta(delta)

    def _beginning(self) -> bytes:
        if self.began:
            return b""
        self.began = True
        return self._writer.delta({"role": "assistant", "content": ""}, **self._extra)

    def _end(self) -> bytes:
        self.ended = True
        usage = usage_of(self._counts) if self._wants_usage else None
        last = self._writer.delta({}, self._finish or "stop")
        return self._beginning() + last + self._writer.end(usage)


def head_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """What all chunks of an answer share."""
    identity, model = str(message.get("id") or ""), str(message.get("model") or "")
    return {"id": identity, "created": int(time.time()), "model": model}


def finish_of(reason: Any) -> str:
    """OpenAI's word for the end; whatever is not known ended well."""
    return _FINISH.get(reason, "stop") if isinstance(reason, str) else "stop"


def usage_of(value: Any) -> Usage | None:
    """Anthropic counts what was written to the cache and read from it apart from the rest."""
    counts = _mapping(value)
    thoughts = _mapping(counts.get("output_tokens_details")).get("thinking_tokens")
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    told = (*(counts.get(name) for name in names), counts.get("output_tokens"), thoughts)
    numbers = [number or 0 for number in told]
    if "output_tokens" not in counts or not all(isinstance(n, int) and n >= 0 for n in numbers):
        return None
    fresh, written, read, answered, thought = numbers
    return Usage(fresh + written + read, answered, read, thought, written)


def _message(content: list[dict[str, Any]]) -> dict[str, Any]:
    """A whole answer's blocks as one message."""
    texts = [str(block.get("text") or "") for block in content if block.get("type") == "text"]
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) if texts else None}
    thoughts = [block for block in content if block.get("type") in _THINKING]
    if said := "".join(str(block.get("thinking") or "") for block in thoughts):
        message["reasoning_content"] = said
    if signed := [block for block in thoughts if block.get("signature") or block.get("data")]:
        message["thinking_blocks"] = signed
    if calls := [_tool_call(block) for block in content if block.get("type") == "tool_use"]:
        message["tool_calls"] = calls
    return message


def _tool_call(block: Mapping[str, Any]) -> dict[str, Any]:
    arguments = orjson.dumps(block.get("input") or {}).decode()
    function = {"name": block.get("name"), "arguments": arguments}
    return {"id": block.get("id"), "type": "function", "function": function}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""
