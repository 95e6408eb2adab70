"""The text of an answer on its way to the caller, for those who keep it (TRIVET_STORE_ANSWERS).

It listens where bytes leave, so that what is kept is what the caller was sent, whichever provider,
fallback or assistant gave it. Where nobody keeps answers, it is not there at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.types import Message, Send

from services.llm_proxy.record import Record
from services.llm_proxy.state import State

MAX_CHARACTERS = 8_000  # as many as analytics keeps
_MAX_EVENT_BYTES = 1024**2  # of one write; what is larger is no answer that anybody reads


def listening(state: State, record: Record, send: Send) -> Send:
    """`send`, heard by the record where answers are kept."""
    if not state.settings.store_answers:
        return send
    record.heard = AnswerTap(send)
    return record.heard


class AnswerTap:
    """Passes messages on and keeps the text that they say; holds at most `MAX_CHARACTERS`."""

    __slots__ = ("_pieces", "_room", "_send")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._pieces: list[str] = []
        self._room = MAX_CHARACTERS

    async def __call__(self, message: Message) -> None:
        body = message.get("body", b"") if message["type"] == "http.response.body" else b""
        if body and self._room > 0 and len(body) <= _MAX_EVENT_BYTES:
            self._hear(body)
        await self._send(message)

    @property
    def text(self) -> str:
        """What has been said so far."""
        return "".join(self._pieces)

    def _hear(self, body: bytes) -> None:
        """Whole events of a stream, or a whole answer."""
        if body.startswith(b"{"):
            self._keep(body)
            return
        for line in body.splitlines():
            if line.startswith(b"data:"):
                self._keep(line[5:])

    def _keep(self, data: bytes) -> None:
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError:
            return  # `[DONE]`
        said = said_in(value) if isinstance(value, dict) else ""
        if said and self._room > 0:
            self._pieces.append(said[: self._room])
            self._room -= len(said)


def said_in(value: Mapping[str, Any]) -> str:
    """The text of a chunk or of a whole answer, in OpenAI's shape or in DashScope's own; of several
    choices the first. Thoughts are no part of an answer."""
    output = value.get("output")
    if isinstance(output, dict):
        text = output.get("text")
        return text if isinstance(text, str) else said_in(output)
    choices = value.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict) or choice.get("index"):
        return ""
    message = choice.get("delta") or choice.get("message")
    return _text_of(message.get("content")) if isinstance(message, dict) else ""


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))
