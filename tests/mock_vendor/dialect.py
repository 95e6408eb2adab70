"""How each vendor words an answer: frames of a stream, a whole answer, an error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from tests.mock_vendor import errors
from tests.mock_vendor.wire import SeenRequest

Failure = Callable[[str, str], tuple[int, dict[str, Any]]]
INTERNAL_FAILURES = ("InternalServiceError", "InternalError", "server_error", "api_error")


@dataclass(frozen=True)
class Ask:
    """What was asked: the behaviour's name and options, and the request itself."""

    seen: SeenRequest
    behaviour: str
    options: dict[str, str]
    stream: bool

    def number(self, name: str, default: float) -> float:
        return float(self.options.get(name, default))

    def words(self) -> list[str]:
        if "count" in self.options:
            return [f"w{n} " for n in range(int(self.number("count", 3)))]
        return ["Hello ", "世界", "!"]


def internal_failure(fail: Failure) -> str:
    """The code of an internal error in a vendor's table."""
    for code in INTERNAL_FAILURES:
        try:
            fail(code, "")
        except KeyError:
            continue
        return code
    raise AssertionError("the table has no internal error")


class Dialect(Protocol):
    """One vendor's way of speaking."""

    fail: Failure

    def frames(self, ask: Ask) -> Iterator[bytes]: ...
    def whole(self, ask: Ask) -> dict[str, Any]: ...
    def error_frame(self, code: str) -> bytes: ...


def _data(value: object) -> bytes:
    return (
        b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
    )


class OpenAi:
    """OpenAI's shape, as Ark, DeepSeek and DashScope's compatible mode speak it too."""

    def __init__(self, fail: Failure) -> None:
        self.fail = fail

    def frames(self, ask: Ask) -> Iterator[bytes]:
        for delta in _deltas(ask):
            yield self._chunk(ask, [_choice(delta)])
        finish = "tool_calls" if ask.behaviour == "tools" else "stop"
        last = {"usage": self._usage(ask)} if ask.options.get("usage") == "last" else {}
        yield self._chunk(ask, [_choice({}, finish)], **last)
        if self._wants_usage(ask):
            yield self._chunk(ask, [], usage=self._usage(ask))
        yield b"data: [DONE]\n\n"

    def whole(self, ask: Ask) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(ask.words())}
        finish = "stop"
        if ask.behaviour == "tools":
            call = {"name": "look", "arguments": '{"where":"here"}'}
            message["content"] = None
            message["tool_calls"] = [{"id": "call_1", "type": "function", "function": call}]
            finish = "tool_calls"
        if ask.behaviour == "reasoning":
            message["reasoning_content"] = "Let me think."
        choice = {"index": 0, "message": message, "finish_reason": finish}
        body = {"id": "chatcmpl-vendor", "object": "chat.completion", "created": 1763800000}
        return {**body, "model": "vendor-model", "choices": [choice], "usage": self._usage(ask)}

    def error_frame(self, code: str) -> bytes:
        return _data(self.fail(code, "The stream broke.")[1])

    def _wants_usage(self, ask: Ask) -> bool:
        wanted = ask.seen.body.get("stream_options") or {}
        return bool(wanted.get("include_usage")) and "usage" not in ask.options

    def _usage(self, ask: Ask) -> dict[str, int]:
        answered = len(ask.words())
        return {"prompt_tokens": 9, "completion_tokens": answered, "total_tokens": 9 + answered}

    def _chunk(self, ask: Ask, choices: list[dict[str, Any]], **more: object) -> bytes:
        body = {"id": "chatcmpl-vendor", "object": "chat.completion.chunk", "created": 1763800000}
        null = {"usage": None} if self._wants_usage(ask) else {}
        return _data({**body, "model": "vendor-model", "choices": choices, **null, **more})


def _deltas(ask: Ask) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    if ask.behaviour == "reasoning":
        yield from ({"reasoning_content": part} for part in ("Let me ", "think."))
    if ask.behaviour == "tools":
        yield from _tool_deltas()
    else:
        yield from ({"content": word} for word in ask.words())


def _choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _tool_deltas() -> list[dict[str, Any]]:
    head = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look"}}
    parts = [{"index": 0, "function": {"arguments": part}} for part in ('{"where":', '"here"}')]
    return [{"tool_calls": [call]} for call in (head, *parts)]


class DashScope:
    """DashScope's own shape: applications and native text generation."""

    def __init__(self, application: bool) -> None:
        self.fail: Failure = errors.dashscope
        self._application = application

    def frames(self, ask: Ask) -> Iterator[bytes]:
        incremental = bool(ask.seen.body.get("parameters", {}).get("incremental_output"))
        words, said = ask.words(), ""
        if ask.behaviour == "reasoning":
            yield self._event(0, self._thinking())
        for number, word in enumerate([*words, ""], start=1):
            said = word if incremental else said + word
            finish = "stop" if number > len(words) else "null"
            yield self._event(number, self._body(ask, said, finish, number - 1))

    def whole(self, ask: Ask) -> dict[str, Any]:
        return self._body(ask, "".join(ask.words()), "stop", len(ask.words()))

    def error_frame(self, code: str) -> bytes:
        status, body = self.fail(code, "The stream broke.")
        text = json.dumps(body)
        return f"id:9\nevent:error\n:HTTP_STATUS/{status}\ndata:{text}\n\n".encode()

    def _event(self, number: int, body: dict[str, Any]) -> bytes:
        text = json.dumps(body, ensure_ascii=False)
        return f"id:{number}\nevent:result\n:HTTP_STATUS/200\ndata:{text}\n\n".encode()

    def _body(self, ask: Ask, text: str, finish: str, tokens: int) -> dict[str, Any]:
        usage: dict[str, Any] = {"input_tokens": 9, "output_tokens": tokens}
        output: dict[str, Any] = {"text": text, "finish_reason": finish}
        if self._application:
            usage = {"models": [{"model_id": "qwen-plus", **usage}]}
            asked = ask.seen.body.get("input", {}).get("session_id")
            output["session_id"] = asked or "vendor-session"
            if finish == "stop" and ask.behaviour == "sources":
                output["doc_references"] = [_reference()]
        elif ask.seen.body.get("parameters", {}).get("result_format") == "message":
            message: dict[str, Any] = {"role": "assistant", "content": text}
            if ask.behaviour == "tools" and finish == "stop":
                call = {"name": "look", "arguments": '{"where":"here"}'}
                calls = [{"index": 0, "id": "call_1", "type": "function", "function": call}]
                message, finish = {**message, "tool_calls": calls}, "tool_calls"
            output = {"choices": [{"message": message, "finish_reason": finish}]}
        return {"output": output, "usage": usage, "request_id": "vendor-request"}

    def _thinking(self) -> dict[str, Any]:
        thought = {"action_type": "reasoning", "thought": "Let me think.", "response": ""}
        output = {"text": "", "finish_reason": "null", "session_id": "s", "thoughts": [thought]}
        return {"output": output, "usage": {}, "request_id": "vendor-request"}


def _reference() -> dict[str, Any]:
    return {
        "index_id": "1",
        "title": "Backup",
        "doc_id": "doc-1",
        "doc_name": "backup.md",
        "doc_url": "https://docs.example/backup",
        "text": "Stop, copy data/, start.",
        "biz_id": "b",
        "images": [],
        "page_number": [1],
    }


class Anthropic:
    """The Messages API: named events, content in blocks, no `[DONE]`."""

    def __init__(self) -> None:
        self.fail: Failure = errors.anthropic

    def frames(self, ask: Ask) -> Iterator[bytes]:
        message = {**self._head(), "content": [], "stop_reason": None, "stop_sequence": None}
        usage = {**self._asked(), "output_tokens": 1}
        yield self._event("message_start", message={**message, "usage": usage})
        for index, block in enumerate(self._blocks(ask)):
            yield from self._block(ask, index, block)
        delta = {"stop_reason": self._reason(ask), "stop_sequence": None}
        yield self._event("message_delta", delta=delta, usage=self._answered(ask))
        yield self._event("message_stop")

    def whole(self, ask: Ask) -> dict[str, Any]:
        content = self._blocks(ask)
        usage = {**self._asked(), **self._answered(ask)}
        reason = {"stop_reason": self._reason(ask), "stop_sequence": None}
        return {**self._head(), "content": content, **reason, "usage": usage}

    def error_frame(self, code: str) -> bytes:
        return b"event: error\n" + _data(self.fail(code, "The stream broke.")[1])

    def _head(self) -> dict[str, Any]:
        return {"id": "msg_vendor", "type": "message", "role": "assistant", "model": "claude-test"}

    def _asked(self) -> dict[str, int]:
        return {
            "input_tokens": 2,
            "cache_creation_input_tokens": 3,
            "cache_read_input_tokens": 4,
        }

    def _answered(self, ask: Ask) -> dict[str, Any]:
        thoughts = {"output_tokens_details": {"thinking_tokens": 2}}
        more = thoughts if ask.behaviour == "reasoning" else {}
        return {"output_tokens": len(ask.words()), **more}

    def _reason(self, ask: Ask) -> str:
        return ask.options.get("stop", "tool_use" if ask.behaviour == "tools" else "end_turn")

    def _blocks(self, ask: Ask) -> list[dict[str, Any]]:
        text = {"type": "text", "text": "".join(ask.words())}
        if ask.behaviour == "tools":
            call = {"type": "tool_use", "name": "look"}
            calls = [
                {**call, "id": "toolu_1", "input": {"where": "here"}},
                {**call, "id": "toolu_2", "input": {}},
            ]
            return [text, *calls]
        if ask.behaviour == "reasoning":
            thinking = {"type": "thinking", "thinking": "Let me think.", "signature": "c2ln"}
            return [thinking, {"type": "redacted_thinking", "data": "xyz"}, text]
        return [text]

    def _block(self, ask: Ask, index: int, block: dict[str, Any]) -> Iterator[bytes]:
        start, deltas = self._parts(ask, block)
        yield self._event("content_block_start", index=index, content_block={**block, **start})
        yield self._event("ping")
        for delta in deltas:
            yield self._event("content_block_delta", index=index, delta=delta)
        yield self._event("content_block_stop", index=index)

    def _parts(self, ask: Ask, block: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        """What a block is empty with, and the deltas that fill it."""
        if block["type"] == "text":
            return {"text": ""}, [{"type": "text_delta", "text": word} for word in ask.words()]
        if block["type"] == "tool_use":
            text = json.dumps(block["input"]) if block["input"] else ""
            pieces = ("", text[:6], text[6:]) if text else ("",)
            return {"input": {}}, [{"type": "input_json_delta", "partial_json": p} for p in pieces]
        if block["type"] == "redacted_thinking":
            return {}, []
        thoughts = [{"type": "thinking_delta", "thinking": t} for t in ("Let me ", "think.")]
        signature = {"type": "signature_delta", "signature": block["signature"]}
        return {"thinking": "", "signature": ""}, [*thoughts, signature]

    def _event(self, kind: str, **more: object) -> bytes:
        return f"event: {kind}\n".encode() + _data({"type": kind, **more})


def dialect_of(path: str) -> Dialect | None:
    """The vendor that answers under this path."""
    if path.startswith("/api/v1/apps/") and path.endswith("/completion"):
        return DashScope(application=True)
    if path == "/api/v1/services/aigc/text-generation/generation":
        return DashScope(application=False)
    if path == "/anthropic/v1/messages":
        return Anthropic()
    if not path.endswith("/chat/completions"):
        return None
    if path.startswith("/ark/"):
        return OpenAi(errors.ark)
    return OpenAi(errors.compat if path.startswith("/compatible-mode/") else errors.openai)
