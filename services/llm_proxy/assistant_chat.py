"""A chat with an assistant: search, then the model, or a plain word where none can answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.types import Receive, Send

from services.kernel.context import RequestContext
from services.kernel.errors import (
    NotFound,
    Overloaded,
    RateLimited,
    TrivetError,
    UpstreamError,
    UpstreamTimeout,
)
from services.llm_proxy.assistants import Assistant, Passage, language_of
from services.llm_proxy.caller_watch import CallerWatch
from services.llm_proxy.canned import CannedAnswer
from services.llm_proxy.delivery import asking, pass_on, stream_into
from services.llm_proxy.follow_up import (
    MAX_QUERY_CHARACTERS,
    earlier_questions,
    in_context,
    leans_on_before,
    merged,
    queries,
)
from services.llm_proxy.outlet import Outlet, send_whole
from services.llm_proxy.providers.base import Ask, Outcome
from services.llm_proxy.record import Record
from services.llm_proxy.rewriting import rewritten
from services.llm_proxy.state import State

KB_RETRY_SECONDS = 5


async def answer(
    context: RequestContext, body: dict[str, Any], receive: Receive, send: Send, record: Record
) -> None:
    """Answer from the knowledge base, with `citations` in the first chunk or in the message."""
    state: State = context.state
    assistant = state.assistants.current.named(body["model"])
    record.assistant = assistant.name
    question = assistant.question_in(body["messages"])
    with CallerWatch(receive) as watch:
        if not record.stream:
            said = await _prepared(context, assistant, question, body, record)
            await _send_whole(state, said, watch, send, record)
            return
        with Outlet(send, state.settings.heartbeat_seconds) as outlet:  # it beats in searches, too
            try:
                said = await _prepared(context, assistant, question, body, record)
            except TrivetError as error:
                record.fail(error, 200 if outlet.started else None)
                raise
            await _stream(state, said, outlet, watch, record)


async def _prepared(
    context: RequestContext,
    assistant: Assistant,
    question: str,
    body: dict[str, Any],
    record: Record,
) -> Ask | CannedAnswer:
    """What to ask the model at `record.target`, or what is said without one."""
    state: State = context.state
    passages = await passages_for(context, assistant, body["messages"], question, record)
    target = state.catalog.current.resolve(assistant.config.model, trusted=True)
    target = state.gate.affordable(context, target)
    passages = passages[: target.max_passages]
    if not passages or not target.speaks(language_of(question)):
        record.citations = [passage.id for passage in passages]
        record.outcome = Outcome(finish_reasons=["stop"])
        return _without_model(assistant, question, passages, context, body)
    record.target = target
    return _ask(assistant, question, passages, context, body, record)


async def _send_whole(
    state: State, said: Ask | CannedAnswer, watch: CallerWatch, send: Send, record: Record
) -> None:
    if isinstance(said, Ask):
        assert record.target is not None  # noqa: S101  # set with the question
        await pass_on(state, record.target, asking(said), watch, send, record)
        return
    record.first_output()
    watch.over = True
    await send_whole(send, said.whole())


async def _stream(
    state: State, said: Ask | CannedAnswer, outlet: Outlet, watch: CallerWatch, record: Record
) -> None:
    if isinstance(said, Ask):
        assert record.target is not None  # noqa: S101  # set with the question
        await stream_into(outlet, state, record.target, asking(said), watch, record)
        return
    record.first_output()
    watch.over = True
    await outlet.finish(said.stream())


async def passages_for(
    context: RequestContext,
    assistant: Assistant,
    messages: Sequence[Mapping[str, Any]],
    question: str,
    record: Record,
) -> list[Passage]:
    """The passages for a question, with what was asked before in mind."""
    state: State = context.state
    earlier = earlier_questions(messages)
    if not earlier:
        return await search(state, assistant, [question])
    if assistant.config.rewrite_model is not None:
        alone = await rewritten(context, assistant, messages, question, record)
        if alone is not None and (found := await search(state, assistant, [alone])):
            return found
    found = await search(state, assistant, queries(question, earlier))
    if found or leans_on_before(question):
        return found
    return await search(state, assistant, [in_context(question, earlier)])


async def search(state: State, assistant: Assistant, texts: Sequence[str]) -> list[Passage]:
    """The passages for one or more texts, in one call. Raises Overloaded when kb does not answer.

    Without sources a model would make something up, so the assistant says plainly that it cannot
    answer now: 503 with Retry-After.
    """
    asked = {**assistant.search(), "queries": [text[:MAX_QUERY_CHARACTERS] for text in texts]}
    try:
        response = await state.kb.request("POST", "/api/search", json=asked)
        searches = orjson.loads(response.content)["searches"]
        lists = [[Passage.of(result) for result in one["results"]] for one in searches]
    except NotFound:
        return []  # the collection has not been made yet
    except (UpstreamError, UpstreamTimeout, Overloaded, RateLimited) as exc:
        raise _no_knowledge() from exc
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as exc:
        raise _no_knowledge() from exc
    return merged(lists, assistant.config.top_k)


def _no_knowledge() -> Overloaded:
    return Overloaded(
        "The knowledge base does not answer just now. Please try again in a moment.",
        retry_after_seconds=KB_RETRY_SECONDS,
    )


def _citations(passages: list[Passage]) -> list[dict[str, Any]]:
    return [passage.citation(index) for index, passage in enumerate(passages, start=1)]


def _without_model(
    assistant: Assistant,
    question: str,
    passages: list[Passage],
    context: RequestContext,
    body: Mapping[str, Any],
) -> CannedAnswer:
    """An honest word that nothing was found, or the best passage as it stands.

    A model that does not speak the question's language would only make words up.
    """
    text = assistant.quoted(question, passages[0]) if passages else assistant.nothing_for(question)
    return CannedAnswer(
        text,
        assistant.model_name,
        context.request_id,
        _citations(passages),
        wants_usage=_wants_usage(body),
    )


def _wants_usage(body: Mapping[str, Any]) -> bool:
    options = body.get("stream_options") or {}
    return bool(options.get("include_usage"))


def _ask(
    assistant: Assistant,
    question: str,
    passages: list[Passage],
    context: RequestContext,
    body: dict[str, Any],
    record: Record,
) -> Ask:
    assert record.target is not None  # noqa: S101  # set by the caller
    room = record.target.context_tokens
    prompt = assistant.prompt(body["messages"], question, passages, body, room)
    kept = passages[: prompt.sources]
    record.citations = [passage.id for passage in kept]
    extra: dict[str, Any] = {"citations": _citations(kept)}
    if prompt.trimmed:
        extra["trivet"] = {"trimmed": prompt.trimmed}
        context.response_headers = (*context.response_headers, _trimmed_header(prompt.trimmed))
    return Ask(
        body=prompt.body,
        model=record.target.model,
        stream=record.stream,
        request_id=context.request_id,
        wants_usage=_wants_usage(body),
        extra=extra,
    )


def _trimmed_header(trimmed: Mapping[str, int | bool]) -> tuple[bytes, bytes]:
    """`x-trivet-trimmed: messages=2, passages=1, shortened=1`."""
    told = ", ".join(f"{name}={int(value)}" for name, value in trimmed.items())
    return b"x-trivet-trimmed", told.encode("ascii")
