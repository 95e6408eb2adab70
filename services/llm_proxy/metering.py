"""What every call cost and how it ended: one record a call, closed exactly once.

A record becomes one event for analytics, a few counters, and fields in the access log's line.
"""

from __future__ import annotations

import asyncio
from dataclasses import fields
from time import perf_counter

from starlette.requests import ClientDisconnect

from services.kernel.context import RequestContext
from services.kernel.errors import InternalError, TrivetError
from services.kernel.outbox import Outbox
from services.llm_proxy.chat_event import attributes_of, log_fields_of
from services.llm_proxy.keys.ledger import Ledger
from services.llm_proxy.limits import Limiter
from services.llm_proxy.meters import Meters
from services.llm_proxy.providers.base import Usage
from services.llm_proxy.record import Operation, Record, UsageSource
from services.llm_proxy.target import Target

BATCH_SECONDS = 0.02
MAX_BATCH = 64  # so that a batch is no pause that a stream could feel
_KINDS: dict[Operation, str] = {"chat": "chat", "embeddings": "embedding"}  # of events
_Closed = tuple[Record, RequestContext, float, Usage | None, UsageSource, float | None]


class Metered:
    """A record around one call, for a `with`; what is raised inside says how the call ended.

    No generator: those cost more than all that they would do here.
    """

    __slots__ = ("_context", "_metering", "_record")

    def __init__(self, metering: Metering, record: Record, context: RequestContext) -> None:
        self._metering = metering
        self._record = record
        self._context = context

    def __enter__(self) -> Record:
        self._metering.begin()
        return self._record

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> None:
        record = self._record
        if isinstance(error, ClientDisconnect):
            record.status, record.end_reason = 499, "client_disconnect"
        elif isinstance(error, TrivetError):
            if record.error is None:
                record.fail(error)
        elif error is not None:
            record.fail(InternalError("Something went wrong on our side."))
        self._metering.end(record, self._context)


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

    def chat(self, context: RequestContext) -> Metered:
        """A record around one chat; whatever happens inside, it is closed once."""
        return Metered(self, Record(), context)

    def embeddings(self, context: RequestContext) -> Metered:
        """The same for embeddings."""
        return Metered(self, Record("embeddings"), context)

    def refuse(
        self, context: RequestContext, error: TrivetError, operation: Operation = "chat"
    ) -> None:
        """A call whose caller was refused before anything of it was read."""
        record = Record(operation)
        record.fail(error)
        self._close(record, context)

    def begin(self) -> None:
        """A call begins."""
        self._meters.running += 1

    def end(self, record: Record, context: RequestContext) -> None:
        """A call is over."""
        self._meters.running -= 1
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
        context.log_fields.update(log_fields_of(record, usage, source))
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
        self._meters.count(record, usage, cost)
        self._meters.observe(record, seconds)
        self._outbox.record(
            _KINDS[record.operation],
            attributes_of(record, seconds, usage, source, cost),
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


def note_refusal(context: RequestContext, error: TrivetError) -> None:
    """For the route table: a chat whose caller the kernel refused."""
    context.state.metering.refuse(context, error)


def note_refused_embeddings(context: RequestContext, error: TrivetError) -> None:
    """The same for a call for embeddings."""
    context.state.metering.refuse(context, error, "embeddings")
