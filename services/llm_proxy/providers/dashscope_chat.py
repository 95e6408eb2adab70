"""A DashScope application as a chat model: its answers told in OpenAI's shape.

Cumulative text becomes increments, thoughts become `reasoning_content`, `doc_references` become
`citations`, and `session_id` is kept beside the choices so that the caller can go on with it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from services.kernel.errors import TrivetError, UpstreamError
from services.kernel.sse import SseError, SseParser
from services.llm_proxy.providers.base import Outcome, Usage, VendorSession
from services.llm_proxy.providers.chunk_writer import ChunkWriter, completion
from services.llm_proxy.providers.dashscope_native import (
    NativeDialect,
    decoded,
    failure_of,
    finish_of,
    outcome_of,
    read_answer,
    text_of,
    usage_of,
)
from services.llm_proxy.providers.frames import MAX_EVENT_BYTES
from services.llm_proxy.providers.openai_chunk import truncated


class ChatDialect(NativeDialect):
    """`model` is the name that the caller used; `cumulative` as the vendor was asked to stream."""

    def __init__(
        self,
        provider: str,
        *,
        secret: str,
        model: str,
        request_id: str,
        cumulative: bool,
        wants_usage: bool,
        extra: dict[str, Any] | None = None,
        session: VendorSession | None = None,
    ) -> None:
        super().__init__(provider, secret=secret)
        self._head = {"id": f"chatcmpl-{request_id}", "created": int(time.time()), "model": model}
        self._cumulative = cumulative
        self._wants_usage = wants_usage
        self._extra = extra or {}
        self._session = session

    def stream(self) -> ChatStream:  # type: ignore[override]  # both are StreamReaders
        return ChatStream(
            self._provider,
            self._secret,
            ChunkWriter(self._head),
            self._cumulative,
            self._wants_usage,
            self._extra,
            self._session,
        )

    def whole(self, body: bytes) -> tuple[bytes, Outcome]:
        value = read_answer(body, self._provider, self._secret)
        output, outcome = value["output"], outcome_of(value)
        message: dict[str, Any] = {"role": "assistant", "content": text_of(output)}
        if thoughts := "".join(_thoughts(output)):
            message["reasoning_content"] = thoughts
        if citations := citations_of(output):
            message["citations"] = citations
        message.update(self._extra)
        finish = outcome.finish_reasons[0] if outcome.finish_reasons else "stop"
        told = _session(output, self._session)
        answer = completion(self._head, message, finish, outcome.usage, **told)
        return answer, outcome


class ChatStream:
    """One application's stream, told in chunks."""

    def __init__(
        self,
        provider: str,
        secret: str,
        writer: ChunkWriter,
        cumulative: bool,
        wants_usage: bool,
        extra: dict[str, Any],
        session: VendorSession | None,
    ) -> None:
        self.began = self.alive = self.ended = False
        self.failure: TrivetError | None = None
        self._provider = provider
        self._secret = secret
        self._writer = writer
        self._cumulative = cumulative
        self._wants_usage = wants_usage
        self._extra = extra
        self._session = session
        self._parser = SseParser(max_event_bytes=MAX_EVENT_BYTES)
        self._said = ""
        self._thought = 0
        self._pieces = 0
        self._usage: Usage | None = None
        self._finish: str | None = None

    def feed(self, data: bytes) -> bytes:
        try:
            events = self._parser.feed(data)
        except SseError:
            self.failure = UpstreamError("an event is too large.", provider=self._provider)
            return b""
        self.alive = bool(events) or b"data" in data
        given: list[bytes] = []
        for event in events:
            value = decoded(event.data)
            self.failure = failure_of(event, value, self._provider, self._secret)
            if self.failure is not None:
                break
            given.extend(self._chunks(value))
        return b"".join(given)

    def close(self) -> bytes:
        """The end in OpenAI's words; nothing when DashScope never said that it had ended."""
        given = self.feed(b"\n\n")
        if self.failure is not None:
            return given
        if self._finish is None:
            self.failure = truncated(self._provider)
            return given
        self.ended = True
        return given + self._writer.end(self._usage if self._wants_usage else None)

    def outcome(self) -> Outcome:
        reasons = [self._finish] if self._finish else []
        return Outcome(self._usage, None, reasons, self._pieces)

    def _chunks(self, value: Mapping[str, Any]) -> Iterator[bytes]:
        output = value["output"]
        self._usage = usage_of(value.get("usage")) or self._usage
        deltas = [{"reasoning_content": thought} for thought in self._new_thoughts(output)]
        if text := self._new_text(text_of(output)):
            deltas.append({"content": text})
        finish = finish_of(output)
        if not self.began and (deltas or finish):
            self.began = True
            role = {"role": "assistant", "content": ""}
            yield self._writer.delta(role, **_session(output, self._session), **self._extra)
        for delta in deltas:
            self._pieces += 1
            yield self._writer.delta(delta)
        if finish and self._finish is None:
            self._finish = finish
            citations = citations_of(output)
            more = {"citations": citations} if citations else {}
            yield self._writer.delta({}, finish, **_session(output, self._session), **more)

    def _new_text(self, text: str) -> str:
        if not self._cumulative:
            return text
        if not text.startswith(self._said):  # some flows turn to increments by themselves
            self._said += text
            return text
        new, self._said = text[len(self._said) :], text
        return new

    def _new_thoughts(self, output: Mapping[str, Any]) -> list[str]:
        thoughts = _thoughts(output)
        if not self._cumulative:
            return thoughts
        new, self._thought = thoughts[self._thought :], max(self._thought, len(thoughts))
        return new


def citations_of(output: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`doc_references` in the contract's form of citations."""
    references = output.get("doc_references")
    if not isinstance(references, list):
        return []
    return [
        {
            "index": number,
            "id": str(reference.get("doc_id") or reference.get("index_id") or number),
            "title": reference.get("title") or reference.get("doc_name") or "",
            "url": reference.get("doc_url") or "",
            "source": reference.get("doc_name") or "",
            "snippet": reference.get("text") or "",
            "relevance_score": None,
        }
        for number, reference in enumerate(references, start=1)
        if isinstance(reference, dict)
    ]


def _thoughts(output: Mapping[str, Any]) -> list[str]:
    thoughts = output.get("thoughts")
    if not isinstance(thoughts, list):
        return []
    words = (item.get("thought") or "" for item in thoughts if isinstance(item, dict))
    return [word for word in words if isinstance(word, str) and word]


def _session(output: Mapping[str, Any], session: VendorSession | None) -> dict[str, str]:
    """The vendor's session, told to the caller and noted for the next call."""
    session_id = output.get("session_id")
    if not isinstance(session_id, str) or not session_id:
        return {}
    if session is not None:
        session.told = session_id
    return {"session_id": session_id}
