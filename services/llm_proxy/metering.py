"""What every call cost and how it ended: one record a call, closed exactly once.

A record becomes one event for analytics, a few counters, and fields in the access log's line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from time import perf_counter
from typing import Any, Literal

from starlette.requests import ClientDisconnect

from services.kernel.context import RequestContext
from services.kernel.errors import InternalError, TrivetError
from services.kernel.outbox import Outbox
from services.llm_proxy.estimate import BYTES_PER_TOKEN, prompt_tokens
from services.llm_proxy.keys.ledger import Ledger
from services.llm_proxy.limits import Grant, Limiter
from services.llm_proxy.meters import Meters
from services.llm_proxy.providers.base import Outcome, StreamReader, Usage
from services.llm_proxy.target import Target

MAX_QUESTION_CHARACTERS = 2000
BATCH_SECONDS = 0.02
MAX_BATCH = 64  # so that a batch is no pause that a stream could feel
EndReason = Literal["complete", "error", "truncated", "client_disconnect", "refused"]
UsageSource = Literal["exact", "estimated", "partial", "none"]


class Record:
    """One chat while it runs. Fill in what becomes known; `Metering.chat` closes it."""

    __slots__ = (
        "asides",
        "asked_model",
        "assistant",
        "attempts",
        "body",
        "citations",
        "end_reason",
        "error",
        "fallback_from",
        "first_output_seconds",
        "grant",
        "is_chat",
        "key_id",
        "outcome",
        "question",
        "reader",
        "sent_bytes",
        "started",
        "status",
        "stream",
        "target",
    )

    def __init__(self, *, is_chat: bool = True) -> None:
        self.started = perf_counter()
        self.is_chat = is_chat
        self.asked_model: str | None = None
        self.grant: Grant | None = None  # what the limiter let in; the close settles it
        self.key_id: str | None = None  # the virtual key that pays
        self.body: Mapping[str, Any] = {}  # as the caller sent it
        self.target: Target | None = None  # of the latest attempt
        self.attempts = 0  # how many calls went upstream
        self.fallback_from: str | None = None  # what was asked for, where another stands in for it
        self.stream = False
        self.assistant: str | None = None
        self.question = ""
        self.citations: list[str] | None = None
        self.sent_bytes = 0  # of the request that went upstream; 0: nothing went
        self.reader: StreamReader | None = None
        self.outcome: Outcome | None = None
        self.first_output_seconds: float | None = None
        self.status = 200
        self.error: TrivetError | None = None
        self.end_reason: EndReason = "complete"
        self.asides: list[Record] = []

    def count_aside(self, aside: Record) -> None:
        """Another call was made to answer this chat: its tokens and its cost belong to it."""
        self.asides.append(aside)

    def first_output(self) -> None:
        """The caller is about to see the first real output."""
        if self.first_output_seconds is None:
            self.first_output_seconds = perf_counter() - self.started

    def fail(self, error: TrivetError, status: int | None = None) -> None:
        """The chat ends with an error; `status` is the HTTP status that the caller saw."""
        self.error = error
        if error.provider is None and self.target is not None and self.sent_bytes:
            error.provider = self.target.provider.name
        self.status = status or error.status
        self.end_reason = "error" if self.sent_bytes else "refused"

    def usage(self) -> tuple[Usage | None, UsageSource]:
        """Tokens and how they were come by."""
        outcome = self.outcome
        if outcome is None and self.reader is not None:
            outcome = self.outcome = self.reader.outcome()
        if outcome is not None and outcome.usage is not None:
            return outcome.usage, "exact"
        if not self.sent_bytes or (self.error is not None and not (outcome and outcome.pieces)):
            return None, "none"
        asked = prompt_tokens(self.body)
        if self.assistant is not None:  # passages were added to what the caller sent
            asked = max(asked, self.sent_bytes // BYTES_PER_TOKEN)
        usage = Usage(asked, outcome.pieces if outcome else 0)
        return usage, "estimated" if self.end_reason == "complete" else "partial"


_Closed = tuple[Record, RequestContext, float, Usage | None, UsageSource, float | None]


class Metering:
    """Opens and closes the records of chats.

    A closed record waits up to `BATCH_SECONDS` for others: counting and writing events in batches
    costs half as much, and none of it while a caller waits. `flush` at the end of the service.
    """

    def __init__(self, outbox: Outbox, meters: Meters, limiter: Limiter, ledger: Ledger) -> None:
        self._outbox = outbox
        self._meters = meters
        self._limiter = limiter
        self._ledger = ledger
        self._closed: list[_Closed] = []
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def chat(self, context: RequestContext) -> Iterator[Record]:
        """A record around one chat; whatever happens inside, it is closed once."""
        with self._around(Record(), context) as record:
            yield record

    @contextmanager
    def _around(self, record: Record, context: RequestContext) -> Iterator[Record]:
        self._meters.running += 1
        try:
            yield record
        except TrivetError as error:
            if record.error is None:
                record.fail(error)
            raise
        except ClientDisconnect:
            record.status, record.end_reason = 499, "client_disconnect"
            raise
        except BaseException:
            record.fail(InternalError("Something went wrong on our side."))
            raise
        finally:
            self._meters.running -= 1
            self._close(record, context)

    @contextmanager
    def embeddings(self, context: RequestContext) -> Iterator[Record]:
        """The same for embeddings, which are counted and paid for, but are no event: nobody asked
        anything."""
        with self._around(Record(is_chat=False), context) as record:
            yield record

    def refuse(self, context: RequestContext, error: TrivetError) -> None:
        """A chat whose caller was refused before anything of it was read."""
        record = Record()
        record.fail(error)
        self._close(record, context)

    def flush(self) -> None:
        """Count what is closed, and hand its events to the outbox."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        closed, self._closed = self._closed, []
        for item in closed:
            self._count(*item)

    def _close(self, record: Record, context: RequestContext) -> None:
        seconds = perf_counter() - record.started
        usage, source = record.usage()
        cost = _cost_usd(record.target, usage)
        for aside in record.asides:
            used, _ = aside.usage()
            spent = _cost_usd(aside.target, used)
            usage, cost = _sum(usage, used), cost if spent is None else (cost or 0.0) + spent
        self._settle(record, usage, cost or 0.0)
        record.reader, record.body = None, {}
        context.log_fields.update(_log_fields(record, usage, source))
        self._closed.append((record, context, seconds, usage, source, cost))
        if len(self._closed) >= MAX_BATCH:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_SECONDS, self.flush)

    def _settle(self, record: Record, usage: Usage | None, cost_usd: float) -> None:
        """At once: the next call may need the place."""
        if record.grant is None:
            return
        tokens = usage.input_tokens + usage.output_tokens if usage is not None else 0
        self._limiter.settle(record.grant, tokens, cost_usd)
        if record.key_id is not None:
            self._ledger.add(record.key_id, usage, cost_usd)

    def _count(
        self,
        record: Record,
        context: RequestContext,
        seconds: float,
        usage: Usage | None,
        source: UsageSource,
        cost: float | None,
    ) -> None:
        self._meters.count(record.target, record.end_reason, usage, cost)
        self._meters.observe(record.target, seconds, record.first_output_seconds)
        if not record.is_chat:
            return
        self._outbox.record(
            "chat",
            _attributes(record, seconds, usage, source, cost),
            request_id=context.request_id,
            session_id=context.session_id,
            visitor_id=context.visitor_id,
        )


def _cost_usd(target: Target | None, usage: Usage | None) -> float | None:
    return target.cost_usd(usage) if target is not None and usage is not None else None


def _sum(one: Usage | None, other: Usage | None) -> Usage | None:
    if one is None or other is None:
        return one or other
    return Usage(*(getattr(one, f.name) + getattr(other, f.name) for f in fields(Usage)))


def _attributes(
    record: Record,
    seconds: float,
    usage: Usage | None,
    source: UsageSource,
    cost: float | None,
) -> dict[str, object]:
    outcome = record.outcome or Outcome()
    target = record.target
    attributes: dict[str, object | None] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": target.provider.name if target else None,
        "gen_ai.request.model": target.model if target else record.asked_model,
        "gen_ai.response.model": outcome.model,
        "gen_ai.request.stream": record.stream,
        "gen_ai.usage.input_tokens": usage.input_tokens if usage else None,
        "gen_ai.usage.output_tokens": usage.output_tokens if usage else None,
        "gen_ai.usage.cache_read.input_tokens": usage.cached_input_tokens or None
        if usage
        else None,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens or None if usage else None,
        "gen_ai.response.finish_reasons": outcome.finish_reasons or None,
        "gen_ai.response.time_to_first_chunk": record.first_output_seconds,
        "trivet.duration_seconds": seconds,
        "trivet.cost_usd": cost,
        "trivet.usage_source": source,
        "trivet.end_reason": record.end_reason,
        "trivet.attempts": record.attempts or None,
        "trivet.fallback_from": record.fallback_from,
        "http.response.status_code": record.status,
        "error.type": record.error.type if record.error else None,
        "trivet.assistant": record.assistant,
        "trivet.question": record.question,
        "trivet.citations": record.citations,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def _log_fields(record: Record, usage: Usage | None, source: UsageSource) -> dict[str, object]:
    told: dict[str, object] = {
        "stream": record.stream,
        "end_reason": record.end_reason,
        "usage_source": source,
    }
    if record.target is not None:
        told["provider"] = record.target.provider.name
        told["model"] = record.target.model
    if record.attempts > 1:
        told["attempts"] = record.attempts
    if record.fallback_from is not None:
        told["fallback_from"] = record.fallback_from
    if usage is not None:
        told["input_tokens"] = usage.input_tokens
        told["output_tokens"] = usage.output_tokens
    if record.first_output_seconds is not None:
        told["first_output_ms"] = round(record.first_output_seconds * 1000, 3)
    if record.error is not None:
        told["error"] = record.error.type
    return told


def note_refusal(context: RequestContext, error: TrivetError) -> None:
    """For the route table: a chat whose caller the kernel refused."""
    context.state.metering.refuse(context, error)


def question_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """The last text of a user, shortened."""
    for message in reversed(messages):
        if message.get("role") != "user":
            continue
        content = message.get("content")
        if isinstance(content, str):
            return content[:MAX_QUESTION_CHARACTERS]
        parts = content if isinstance(content, list) else []
        texts = (part.get("text") for part in parts if isinstance(part, dict))
        joined = "\n".join(text for text in texts if isinstance(text, str))
        return joined[:MAX_QUESTION_CHARACTERS]
    return ""
