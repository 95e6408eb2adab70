"""Chats in OpenAI's shape: with a model, with one provider, with an assistant.

Bare ASGI functions: this is the hot path, and they watch for the caller's leaving themselves.
"""

from __future__ import annotations

from typing import Any

from starlette.types import Receive, Scope, Send

from services.kernel.context import RequestContext
from services.kernel.errors import Unprocessable
from services.kernel.routing import parse_json, read_body, validated
from services.llm_proxy import assistant_chat
from services.llm_proxy.access import knows_all_models
from services.llm_proxy.answer_tap import listening
from services.llm_proxy.assistants import PREFIX
from services.llm_proxy.delivery import asking, deliver
from services.llm_proxy.providers.base import Ask, Prepared, Provider
from services.llm_proxy.providers.dashscope_app import DashScopeAppProvider
from services.llm_proxy.providers.openai_compatible import (
    OpenAiCompatibleProvider,
    no_embeddings,
)
from services.llm_proxy.record import WORKFLOW, Record, question_of
from services.llm_proxy.resilience.dispatcher import Prepare
from services.llm_proxy.schemas import ChatBody, EmbeddingsBody
from services.llm_proxy.state import State
from services.llm_proxy.target import Target


async def completions(scope: Scope, receive: Receive, send: Send) -> None:
    """`POST /v1/chat/completions`: a model, an alias, or an assistant."""
    context: RequestContext = scope["trivet"]
    state: State = context.state
    with state.metering.chat(context) as record:
        body = await read_object(state, receive)
        note_request(record, body)
        note_cause(record, context)
        send = listening(state, record, send)
        model = body.get("model")
        if isinstance(model, str) and model.startswith(PREFIX):
            await state.gate.admit_chat(context, record, body, assistant=model[len(PREFIX) :])
            state.gate.require_assistant(context, model)
            check_chat(body)
            await assistant_chat.answer(context, body, receive, send, record)
            return
        await state.gate.admit_chat(context, record, body)
        check_chat(body)
        trusted = knows_all_models(context)
        record.target = state.catalog.current.resolve(model, trusted=trusted)
        record.target = state.gate.reachable(context, model, record.target)
        await chat_with(record.target, context, body, receive, send, record)


async def chat_with(
    target: Target,
    context: RequestContext,
    body: dict[str, Any],
    receive: Receive,
    send: Send,
    record: Record,
) -> None:
    """One chat with one model; `body` has been checked."""
    options = body.get("stream_options") or {}
    ask = Ask(
        body=body,
        model=target.model,
        stream=record.stream,
        request_id=context.request_id,
        wants_usage=bool(options.get("include_usage")),
    )
    state: State = context.state
    if not isinstance(target.provider, DashScopeAppProvider):
        await deliver(state, target, asking(ask), receive, send, record)
        return
    async with state.app_sessions.going_on(context, target, body) as ask.session:
        await deliver(state, target, asking(ask), receive, send, record)


async def embeddings(scope: Scope, receive: Receive, send: Send) -> None:
    """`POST /v1/embeddings`: texts to vectors, by a provider that has them."""
    context: RequestContext = scope["trivet"]
    state: State = context.state
    with state.metering.embeddings(context) as record:
        body = await read_object(state, receive)
        note_request(record, body)
        await state.gate.admit_chat(context, record, body)
        asked = validated(EmbeddingsBody, body)
        # Vectors of another model lie in another space: nothing can stand in.
        record.target = state.catalog.current.embedding(asked.model).alone
        record.target = state.gate.reachable(context, asked.model, record.target)
        prepare = embedding(body, context.request_id)
        record.stream = False
        await deliver(state, record.target, prepare, receive, send, record)


def embedding(body: dict[str, Any], request_id: str) -> Prepare:
    """Makes the request for embeddings; it raises NotFound where the provider has none."""

    def prepare(provider: Provider, model: str) -> Prepared:
        if not isinstance(provider, OpenAiCompatibleProvider):
            raise no_embeddings(provider.name)
        return provider.embeddings(body, model, request_id)

    return prepare


async def read_object(state: State, receive: Receive) -> dict[str, Any]:
    """The body as a JSON object. Raises InvalidRequest, Unprocessable, PayloadTooLarge."""
    raw = await read_body(receive, state.settings.json_body_max_bytes)
    value = parse_json(raw)
    if not isinstance(value, dict):
        raise Unprocessable("The body must be a JSON object.")
    return value


def check_chat(body: dict[str, Any]) -> None:
    """Raises Unprocessable, naming the field, for a body that is no chat."""
    validated(ChatBody, body)
    if all(_is_blank(message) for message in body["messages"]):
        raise Unprocessable("messages: all messages are empty", param="messages")


def _is_blank(message: dict[str, Any]) -> bool:
    content = message.get("content")
    if isinstance(content, str):
        return not content or content.isspace()
    return not (content or message.get("tool_calls") or message.get("function_call"))


def note_request(record: Record, body: dict[str, Any]) -> None:
    """What a chat asks for, before it is checked: refused chats are recorded, too."""
    model, messages = body.get("model"), body.get("messages")
    record.body = body
    record.asked_model = model[:256] if isinstance(model, str) else None
    record.stream = body.get("stream") is True
    if isinstance(messages, list):
        known = [message for message in messages[-8:] if isinstance(message, dict)]
        record.question = question_of(known)


def note_cause(record: Record, context: RequestContext) -> None:
    """A step of a workflow asks what nobody typed: its prompt is no question of a visitor's.

    A visitor's word on it would hide their questions from the team, so it counts for nothing.
    """
    if context.cause == WORKFLOW and context.caller.kind != "visitor":
        record.cause, record.question = WORKFLOW, ""
