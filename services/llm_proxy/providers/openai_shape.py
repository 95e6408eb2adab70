"""Answers in OpenAI's shape, which most vendors speak: bytes are passed on, a copy is looked at.

Until the first real output each event is parsed and nothing is given out. From then on an event is
only looked into when it says `"usage"` or `"error"`; the rest is forwarded unread.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from services.kernel.errors import TrivetError, UpstreamError
from services.kernel.sse import SseEvent
from services.llm_proxy.providers.base import Outcome, Usage
from services.llm_proxy.providers.failure import complaint_of, translate, translate_answer
from services.llm_proxy.providers.frames import (
    MAX_EVENT_BYTES,
    Frames,
    Unnumbered,
    data_backwards,
    is_numbered,
    read_events,
    spans,
)
from services.llm_proxy.providers.openai_chunk import (
    finish_reasons_of,
    garbage,
    is_output,
    read_answer,
    truncated,
    usage_of,
)

_USAGE = re.compile(rb'"usage"\s*:\s*\{')
_FINISH = re.compile(rb'"finish_reason"\s*:\s*"')
_DONE = b"[DONE]"
_BOM = b"\xef\xbb\xbf"


class OpenAiDialect:
    """How an OpenAI-shaped answer of `provider` is read.

    `strip_usage`: the usage chunk was asked for by us alone and is kept from the caller. `extra` is
    put into the first chunk, or into the message of a whole answer.
    """

    def __init__(
        self,
        provider: str,
        *,
        secret: str = "",
        strip_usage: bool = False,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self._provider = provider
        self._secret = secret
        self._strip_usage = strip_usage
        self._extra = extra

    def stream(self) -> OpenAiStream:
        return OpenAiStream(self._provider, self._secret, self._strip_usage, self._extra)

    def whole(self, body: bytes) -> tuple[bytes, Outcome]:
        """The answer, its leading blank lines taken off. Raises UpstreamError on anything else."""
        value = read_answer(body, self._provider, self._secret)
        choices = value.get("choices")
        if not isinstance(choices, list) or not all(isinstance(one, dict) for one in choices):
            raise garbage(self._provider)
        outcome = Outcome(usage_of(value.get("usage")), _text(value.get("model")))
        outcome.finish_reasons = finish_reasons_of(choices)
        message = choices[0].get("message") if choices else None
        if isinstance(message, dict):
            outcome.pieces = len(str(message.get("content") or "")) // 3 + 1
            if self._extra is not None:
                message.update(self._extra)
                return orjson.dumps(value), outcome
        return body.lstrip(), outcome

    def error(self, status: int, headers: Mapping[bytes, bytes], body: bytes) -> TrivetError:
        return translate_answer(status, headers, body, provider=self._provider, secret=self._secret)


class OpenAiStream:
    """One OpenAI-shaped stream on its way to the caller."""

    __slots__ = (
        "_extra",
        "_frames",
        "_pending",
        "_pieces",
        "_provider",
        "_secret",
        "_strip_usage",
        "_usage",
        "alive",
        "began",
        "ended",
        "failure",
    )

    def __init__(
        self, provider: str, secret: str, strip_usage: bool, extra: dict[str, Any] | None
    ) -> None:
        self.began = self.alive = self.ended = False
        self.failure: TrivetError | None = None
        self._provider = provider
        self._secret = secret
        self._strip_usage = strip_usage
        self._extra = extra
        self._frames: Frames = Frames()
        self._pending: list[bytes] = []  # events before the first real output
        self._pieces = 0
        self._usage: Usage | None = None

    def feed(self, data: bytes) -> bytes:
        events = self._frames.cut(data)
        if not events:
            self.alive = True  # a part of an event: `close` or the size limit ends what drips on
            if self._frames.oversize:
                self.failure = UpstreamError("an event is too large.", provider=self._provider)
            return b""
        pieces = events.count(b"data:")
        self.alive = pieces > 0
        self._pieces += pieces
        if not self.began:
            return self._before_output(events)
        if b'"usage"' in events or b'"error"' in events or b"event:" in events:
            return self._inspect(events)
        if _DONE in events and events.rstrip().endswith(_DONE):
            self.ended = True
        return events

    def close(self) -> bytes:
        rest = self._frames.rest()
        if rest and not self.ended:  # a last event without its blank line, as some vendors send
            given = self.feed(rest + b"\n\n")
            if self.ended or self.failure is not None:
                return given
        if not self.ended:
            self.ended = self.began and any(
                data.strip() == _DONE for data in data_backwards(self._frames.tail())
            )
        if not self.ended and self.failure is None:
            self.failure = truncated(self._provider)
        return b""

    def outcome(self) -> Outcome:
        """Usage was noted as it went by; the model and the finish are told by the last events."""
        outcome = Outcome(usage=self._usage, pieces=self._pieces)
        for data in data_backwards(self._frames.tail()):
            if data.strip() == _DONE or (outcome.model and not _FINISH.search(data)):
                continue
            value = _json(data)
            if not isinstance(value, dict):
                continue
            outcome.model = outcome.model or _text(value.get("model"))
            choices = value.get("choices")
            outcome.finish_reasons = finish_reasons_of(choices) if isinstance(choices, list) else []
            if outcome.finish_reasons:
                break
        return outcome

    # -- before the first real output -------------------------------------------------------------

    def _before_output(self, events: bytes) -> bytes:
        """Hold events back until one says something; what is given then depends on no split."""
        for start, end in spans(events):
            raw = events[start:end]
            if self.began:
                return self._release() + self._inspect(self._frames.shown(events[start:]))
            self._judge(raw)
            if self.failure is not None:
                return b""
            self._pending.append(raw)
        if self.began:
            return self._release()
        if sum(map(len, self._pending)) > MAX_EVENT_BYTES:
            self._pending = []  # comments and empty chunks for ever: no need to keep them all
        return b""

    def _judge(self, raw: bytes) -> None:
        """Whether an event is the first output, or no part of an answer at all."""
        for event in read_events(raw):
            if event.data.strip() == _DONE:
                self.began = self.ended = True
                continue
            value = _json(event.data)
            self.failure = self._complaint(event, value)
            if self.failure is None and not isinstance(value, dict):
                self.failure = garbage(self._provider)
            elif self.failure is None:
                self.began = is_output(value)

    def _release(self) -> bytes:
        given, self._pending = b"".join(self._pending).removeprefix(_BOM), []
        if is_numbered(given):
            self._frames = Unnumbered.going_on(self._frames)
        return self._inspect(self._with_extra(self._frames.shown(given)))

    def _with_extra(self, events: bytes) -> bytes:
        """`extra` put into the first chunk, the only one that is ever written anew."""
        if self._extra is None:
            return events
        for end in spans(events):
            parsed = read_events(events[end[0] : end[1]])
            value = _json(parsed[0].data) if parsed else None
            if isinstance(value, dict):
                first = b"data: " + orjson.dumps({**value, **self._extra}) + b"\n\n"
                return events[: end[0]] + first + events[end[1] :]
        return events

    # -- from then on -----------------------------------------------------------------------------

    def _inspect(self, events: bytes) -> bytes:
        """Look into events that may hold the usage, an error or the end."""
        if events.rstrip().endswith(_DONE):
            self.ended = True
        if not _tells(events):
            return events
        given = []
        for start, end in spans(events):
            raw = events[start:end]
            kept = not _tells(raw) or self._look_at(raw)
            if self.failure is not None:
                break
            if kept:
                given.append(raw)
        return b"".join(given)

    def _look_at(self, raw: bytes) -> bool:
        """Whether one event goes to the caller; notes its usage, or the failure that it tells."""
        for event in read_events(raw):
            if event.data.strip() == _DONE:
                return True
            value = _json(event.data)
            self.failure = self._complaint(event, value)
            if self.failure is not None or not isinstance(value, dict):
                return False
            usage = usage_of(value.get("usage"))
            if usage is not None:
                self._usage = usage
                return not (self._strip_usage and value.get("choices") == [])
        return True

    def _complaint(self, event: SseEvent, value: Any) -> TrivetError | None:
        complaint = complaint_of(value)
        if complaint is not None:
            return translate(complaint, provider=self._provider, secret=self._secret)
        if event.event == "error":
            return UpstreamError("the provider reported an error.", provider=self._provider)
        return None


def _tells(events: bytes) -> bool:
    """Whether there may be more in it than a piece of the answer."""
    told = b'"error"' in events or b"event:" in events
    return told or _USAGE.search(events) is not None


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
