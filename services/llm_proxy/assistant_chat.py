"""A chat with an assistant: search, then the model, or an honest word that nothing was found."""

from __future__ import annotations

import time
from typing import Any

import orjson
from starlette.types import Receive, Send

from services.kernel.context import RequestContext
from services.kernel.errors import (
    NotFound,
    Overloaded,
    RateLimited,
    UpstreamError,
    UpstreamTimeout,
)
from services.llm_proxy.assistants import PREFIX, Assistant, Passage, language_of
from services.llm_proxy.caller_watch import CallerWatch
from services.llm_proxy.metering import Record
from services.llm_proxy.providers.base import Ask, Outcome
from services.llm_proxy.relay import Outlet, send_whole
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
    async with CallerWatch(receive) as watch:
        passages = await search(state, assistant, question)
        record.citations = [passage.id for passage in passages]
        if not passages:
            await _nothing_found(assistant, question, context, body, watch, send, record)
            return
        ask = _ask(state, assistant, question, passages, context, body, record)
        assert record.target is not None  # noqa: S101  # _ask has set it
        call = record.target.provider.chat(ask)
        if record.stream:
            await state.relay.stream(call, Outlet(send), watch, record)
            return
        whole = await state.relay.whole(call, record)
        watch.over = True
        await send_whole(send, whole)


async def search(state: State, assistant: Assistant, question: str) -> list[Passage]:
    """The passages for a question. Raises Overloaded when kb does not answer.

    Without sources a model would make something up, so the assistant says plainly that it cannot
    answer now: 503 with Retry-After.
    """
    try:
        response = await state.kb.request(
            "GET", "/api/search", params=assistant.search_params(question)
        )
        results = orjson.loads(response.content)["results"]
        return [Passage.of(result) for result in results]
    except NotFound:
        return []  # the collection has not been made yet
    except (UpstreamError, UpstreamTimeout, Overloaded, RateLimited) as exc:
        raise _no_knowledge() from exc
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as exc:
        raise _no_knowledge() from exc


def _no_knowledge() -> Overloaded:
    return Overloaded(
        "The knowledge base does not answer just now. Please try again in a moment.",
        retry_after_seconds=KB_RETRY_SECONDS,
    )


def _ask(
    state: State,
    assistant: Assistant,
    question: str,
    passages: list[Passage],
    context: RequestContext,
    body: dict[str, Any],
    record: Record,
) -> Ask:
    record.target = state.catalog.current.resolve(assistant.config.model, trusted=True)
    citations = [passage.citation(index) for index, passage in enumerate(passages, start=1)]
    options = body.get("stream_options") or {}
    return Ask(
        body=assistant.chat_body(body["messages"], question, passages, body),
        model=record.target.model,
        stream=record.stream,
        request_id=context.request_id,
        wants_usage=bool(options.get("include_usage")),
        extra={"model": PREFIX + assistant.name, "citations": citations}
        if record.stream
        else {"citations": citations},
    )


async def _nothing_found(
    assistant: Assistant,
    question: str,
    context: RequestContext,
    body: dict[str, Any],
    watch: CallerWatch,
    send: Send,
    record: Record,
) -> None:
    """No passage fits: no model is asked, and nothing is made up."""
    text = assistant.config.nothing_found.said_in(language_of(question)).strip()
    head = {
        "id": f"chatcmpl-{context.request_id}",
        "created": int(time.time()),
        "model": assistant.model_name,
    }
    record.outcome = Outcome(finish_reasons=["stop"])
    record.first_output()
    watch.over = True
    if record.stream:
        await Outlet(send).write(_canned_stream(head, text), more=False)
    else:
        message = {"role": "assistant", "content": text, "citations": []}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        whole = {**head, "object": "chat.completion", "choices": [choice], "usage": usage}
        await send_whole(send, orjson.dumps(whole))


def _canned_stream(head: dict[str, Any], text: str) -> bytes:
    deltas = [({"role": "assistant", "content": text}, None), ({}, "stop")]
    events = []
    for number, (delta, finish) in enumerate(deltas):
        chunk = {**head, "object": "chat.completion.chunk"}
        chunk["choices"] = [{"index": 0, "delta": delta, "finish_reason": finish}]
        if number == 0:
            chunk["citations"] = []
        events.append(b"data: " + orjson.dumps(chunk) + b"\n\n")
    return b"".join(events) + b"data: [DONE]\n\n"
