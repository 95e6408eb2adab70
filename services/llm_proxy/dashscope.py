"""DashScope's own paths and bodies, so that its unmodified SDK works with us as its base.

Errors carry DashScope's top-level `code`, `message` and `request_id` beside the contract's `error`;
in a stream they come as its `event:error` frame.
"""

from __future__ import annotations

from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from services.kernel.context import RequestContext
from services.kernel.errors import NotFound, TrivetError
from services.kernel.rendering import CONTRACT, ErrorForm, error_payload
from services.kernel.routing import validated
from services.llm_proxy.access import knows_all_models
from services.llm_proxy.answer_tap import listening
from services.llm_proxy.chat import chat_with, check_chat, note_request, read_object
from services.llm_proxy.delivery import deliver
from services.llm_proxy.providers.base import Prepared, Provider
from services.llm_proxy.providers.dashscope_app import APPLICATION, DashScopeAppProvider
from services.llm_proxy.providers.tongyi import TongyiProvider
from services.llm_proxy.record import Record, question_of
from services.llm_proxy.resilience.dispatcher import Prepare
from services.llm_proxy.schemas import DashScopeBody, DashScopeEmbeddingsBody
from services.llm_proxy.state import State
from services.llm_proxy.target import Target

_CODES = {
    "authentication_error": "InvalidApiKey",
    "permission_error": "AccessDenied",
    "not_found_error": "ModelNotFound",
    "payload_too_large": "BadRequest.TooLarge",
    "rate_limit_error": "Throttling",
    "overloaded_error": "ServiceUnavailable",
    "timeout_error": "RequestTimeOut",
    "invalid_request_error": "InvalidParameter",
}


def _error_body(error: TrivetError, request_id: str) -> bytes:
    code = _CODES.get(error.type, "InternalError")
    top = {"code": code, "message": error.message, "request_id": request_id}
    return orjson.dumps({**top, **error_payload(error, request_id)})


def _error_event(error: TrivetError, request_id: str) -> bytes:
    body = _error_body(error, request_id)
    return b"event:error\n:HTTP_STATUS/%d\ndata:%b\n\n" % (error.status, body)


NATIVE_ERRORS = ErrorForm(_error_body, _error_event)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """`POST /api/llm/dashscope/apps/{app_id}/completion`."""
    context: RequestContext = scope["trivet"]
    state: State = context.state
    with state.metering.chat(context) as record:
        body = await _native_body(scope, receive, record)
        send = listening(state, record, send)
        await state.gate.admit_chat(context, record, body)
        validated(DashScopeBody, body)
        provider = state.catalog.current.provider_for("dashscope_app")
        call = _native_call(provider, body, scope["path_params"]["app_id"], context, record)
        await deliver(state, *call, receive, send, record)


async def generation(scope: Scope, receive: Receive, send: Send) -> None:
    """`POST /api/llm/dashscope/services/aigc/text-generation/generation`."""
    context: RequestContext = scope["trivet"]
    state: State = context.state
    with state.metering.chat(context) as record:
        body = await _native_body(scope, receive, record)
        send = listening(state, record, send)
        await state.gate.admit_chat(context, record, body)
        asked = validated(DashScopeBody, body)
        provider = state.catalog.current.provider_for("tongyi")
        call = _native_call(provider, body, asked.model, context, record)
        await deliver(state, *call, receive, send, record)


async def native_embeddings(scope: Scope, receive: Receive, send: Send) -> None:
    """`POST /api/llm/dashscope/services/embeddings/text-embedding/text-embedding`."""
    context: RequestContext = scope["trivet"]
    state: State = context.state
    with state.metering.embeddings(context) as record:
        body = await read_object(state, receive)
        note_request(record, body)
        await state.gate.admit_chat(context, record, body)
        asked = validated(DashScopeEmbeddingsBody, body)
        catalog, provider = state.catalog.current, state.catalog.current.provider_for("tongyi")
        record.target = catalog.within(provider, asked.model, trusted=True).alone
        record.target = state.gate.reachable(context, asked.model, record.target)

        def prepare(provider: Provider, model: str) -> Prepared:
            assert isinstance(provider, TongyiProvider)  # noqa: S101  # `provider_for` says so
            return provider.native_embeddings(body, model, context.request_id)

        record.stream = False
        await deliver(state, record.target, prepare, receive, send, record)


async def provider_chat(scope: Scope, receive: Receive, send: Send) -> None:
    """`POST /api/llm/{provider}`: OpenAI's shape, or DashScope's where the body has `input`."""
    context: RequestContext = scope["trivet"]
    state: State = context.state
    with state.metering.chat(context) as record:
        body = await read_object(state, receive)
        native = "input" in body and "messages" not in body
        context.error_form = NATIVE_ERRORS if native else CONTRACT
        note_request(record, body)
        send = listening(state, record, send)
        provider = state.catalog.current.provider(scope["path_params"]["provider"])
        await state.gate.admit_chat(context, record, body)
        if native:
            _note_native(record, body, scope)
            asked = validated(DashScopeBody, body)
            call = _native_call(provider, body, asked.model, context, record)
            await deliver(state, *call, receive, send, record)
        else:
            check_chat(body)
            model, trusted = body.get("model"), knows_all_models(context)
            record.target = state.catalog.current.within(provider, model, trusted=trusted)
            record.target = state.gate.reachable(context, model, record.target)
            await chat_with(record.target, context, body, receive, send, record)


def _native_call(
    provider: Provider,
    body: dict[str, Any],
    model: str | None,
    context: RequestContext,
    record: Record,
) -> tuple[Target, Prepare]:
    """Where a native call goes, and how its request is made. Raises NotFound for other providers.

    No other provider can stand in: none understands the body.
    """
    if isinstance(provider, DashScopeAppProvider):
        own = not model or model == provider.config.app_id
        wanted = APPLICATION if own else model
    elif isinstance(provider, TongyiProvider):
        wanted = model
    else:
        message = f"Provider {provider.name} takes no body with `input`: send `messages`."
        raise NotFound(message, param="input", provider=provider.name)
    catalog = context.state.catalog.current
    record.target = catalog.within(provider, wanted, trusted=knows_all_models(context)).alone
    record.target = context.state.gate.reachable(context, model, record.target)
    return record.target, _native(body, stream=record.stream, request_id=context.request_id)


def _native(body: dict[str, Any], *, stream: bool, request_id: str) -> Prepare:
    def prepare(provider: Provider, model: str) -> Prepared:
        if isinstance(provider, DashScopeAppProvider):
            return provider.completion(model, body, stream=stream, request_id=request_id)
        assert isinstance(provider, TongyiProvider)  # noqa: S101  # checked by the caller
        return provider.generation(body, model, stream=stream, request_id=request_id)

    return prepare


async def _native_body(scope: Scope, receive: Receive, record: Record) -> dict[str, Any]:
    context: RequestContext = scope["trivet"]
    body = await read_object(context.state, receive)
    note_request(record, body)
    _note_native(record, body, scope)
    return body


def _note_native(record: Record, body: dict[str, Any], scope: Scope) -> None:
    """What a native body asks: streaming is chosen by a header."""
    headers = dict(scope["headers"])
    record.stream = (
        body.get("stream") is True
        or headers.get(b"x-dashscope-sse", b"").lower() == b"enable"
        or headers.get(b"accept", b"").startswith(b"text/event-stream")
    )
    given = body.get("input")
    if not isinstance(given, dict):
        return
    if isinstance(given.get("messages"), list):
        record.question = question_of([m for m in given["messages"] if isinstance(m, dict)])
    elif isinstance(given.get("prompt"), str):
        record.question = question_of([{"role": "user", "content": given["prompt"]}])
