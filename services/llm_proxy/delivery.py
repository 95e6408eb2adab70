"""From a prepared call to the caller: whole or streamed, while watching whether they leave."""

from __future__ import annotations

from starlette.types import Receive, Send

from services.kernel.errors import TrivetError
from services.llm_proxy.caller_watch import CallerWatch
from services.llm_proxy.outlet import Outlet, send_whole
from services.llm_proxy.providers.base import Ask, Prepared, Provider
from services.llm_proxy.record import Record
from services.llm_proxy.relay import answer_headers
from services.llm_proxy.resilience.dispatcher import Prepare
from services.llm_proxy.state import State
from services.llm_proxy.target import Target
from services.llm_proxy.upstream import BrokenOff


def asking(ask: Ask) -> Prepare:
    """Makes a chat's request for whichever model is to answer."""

    def prepare(provider: Provider, model: str) -> Prepared:
        ask.model = model
        return provider.chat(ask)

    return prepare


async def deliver(
    state: State, target: Target, prepare: Prepare, receive: Receive, send: Send, record: Record
) -> None:
    """Make the call and pass its answer to the caller, who may leave at any time."""
    with CallerWatch(receive) as watch:
        await pass_on(state, target, prepare, watch, send, record)


async def pass_on(
    state: State, target: Target, prepare: Prepare, watch: CallerWatch, send: Send, record: Record
) -> None:
    """The same for a caller who is being watched already."""
    if not record.stream:
        answer = await state.dispatcher.whole(target, prepare, record)
        watch.over = True
        await send_whole(send, answer, answer_headers(record))
        return
    with Outlet(send, state.settings.heartbeat_seconds) as outlet:
        await stream_into(outlet, state, target, prepare, watch, record)


async def stream_into(
    outlet: Outlet,
    state: State,
    target: Target,
    prepare: Prepare,
    watch: CallerWatch,
    record: Record,
) -> None:
    """A stream for a caller to whom hearts may have been beating already."""
    try:
        await state.dispatcher.stream(target, prepare, outlet, watch, record)
    except TrivetError as error:
        record.fail(error, 200 if outlet.started else None)
        if isinstance(error, BrokenOff) and record.reader and record.reader.began:
            record.end_reason = "truncated"
        raise
