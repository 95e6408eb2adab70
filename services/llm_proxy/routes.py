"""The route table of llm_proxy at a glance."""

from __future__ import annotations

from services.kernel.auth import Access
from services.kernel.routing import Operation, operation, raw_operation
from services.llm_proxy.chat import completions, embeddings
from services.llm_proxy.console_session import log_in, log_out, show_session
from services.llm_proxy.dashscope import (
    NATIVE_ERRORS,
    application,
    generation,
    native_embeddings,
    provider_chat,
)
from services.llm_proxy.inventory import show_configuration
from services.llm_proxy.keys.handlers import (
    change_key,
    create_key,
    issue_visitor_token,
    list_keys,
    renew_encryption,
    revoke_key,
    rotate_key,
    show_key,
)
from services.llm_proxy.keys.usage import show_usage
from services.llm_proxy.listing import list_models, list_providers
from services.llm_proxy.metering import note_refusal, note_refused_embeddings
from services.llm_proxy.pages import show_assistant, take_feedback
from services.llm_proxy.schemas import (
    ChatBody,
    DashScopeBody,
    DashScopeEmbeddingsBody,
    EmbeddingsBody,
)
from services.llm_proxy.workflows.routes import workflow_operations

_KEYS = "/api/llm/keys"
_APPLICATION = "/api/llm/dashscope/apps/{app_id}/completion"
_GENERATION = "/api/llm/dashscope/services/aigc/text-generation/generation"
_EMBEDDINGS = "/api/llm/dashscope/services/embeddings/text-embedding/text-embedding"


def operations() -> list[Operation]:
    """All operations; fixed paths stand before `/api/llm/{provider}`, which would match them."""
    return [*_openai(), *_console(), *_pages(), *_keys(), *_providers(), *workflow_operations()]


def _openai() -> list[Operation]:
    return [
        raw_operation(
            "POST",
            "/v1/chat/completions",
            completions,
            access=Access.PUBLIC,
            body=ChatBody,
            streams=True,
            refused=note_refusal,
            summary="Chat with a model, an alias or an assistant, in OpenAI's shape",
        ),
        operation("GET", "/v1/models", list_models, access=Access.PUBLIC),
        raw_operation(
            "POST",
            "/v1/embeddings",
            embeddings,
            access=Access.APPLICATION,
            body=EmbeddingsBody,
            refused=note_refused_embeddings,
            summary="Embeddings, in OpenAI's shape",
        ),
    ]


def _console() -> list[Operation]:
    return [
        operation("GET", "/api/llm/providers", list_providers, access=Access.ADMINISTRATOR),
        operation("GET", "/api/llm/configuration", show_configuration, access=Access.ADMINISTRATOR),
        operation("POST", "/api/session", log_in, access=Access.PUBLIC),
        operation("GET", "/api/session", show_session, access=Access.PUBLIC),
        operation("DELETE", "/api/session", log_out, access=Access.PUBLIC, status=204),
    ]


def _pages() -> list[Operation]:
    public = Access.PUBLIC
    return [
        operation("GET", "/api/llm/assistants/{name}", show_assistant, access=public),
        operation("POST", "/api/llm/feedback", take_feedback, access=public, status=202),
    ]


def _keys() -> list[Operation]:
    administrator = Access.ADMINISTRATOR
    one = f"{_KEYS}/{{key_id}}"
    return [
        operation("POST", _KEYS, create_key, access=administrator, status=201),
        operation("GET", _KEYS, list_keys, access=administrator),
        operation("POST", f"{_KEYS}/visitor", issue_visitor_token, access=Access.PUBLIC),
        operation("POST", f"{_KEYS}/encryption", renew_encryption, access=administrator),
        operation("GET", one, show_key, access=administrator),
        operation("PATCH", one, change_key, access=administrator),
        operation("DELETE", one, revoke_key, access=administrator, status=204),
        operation("POST", f"{one}/rotate", rotate_key, access=administrator),
        operation("GET", f"{one}/usage", show_usage, access=administrator),
    ]


def _providers() -> list[Operation]:
    return [
        raw_operation(
            "POST",
            _APPLICATION,
            application,
            access=Access.PUBLIC,
            body=DashScopeBody,
            streams=True,
            refused=note_refusal,
            error_form=NATIVE_ERRORS,
            summary="Ask a DashScope application, in DashScope's own shape",
        ),
        raw_operation(
            "POST",
            _GENERATION,
            generation,
            access=Access.PUBLIC,
            body=DashScopeBody,
            streams=True,
            refused=note_refusal,
            error_form=NATIVE_ERRORS,
            summary="Generate text with a Qwen model, in DashScope's own shape",
        ),
        raw_operation(
            "POST",
            _EMBEDDINGS,
            native_embeddings,
            access=Access.APPLICATION,
            body=DashScopeEmbeddingsBody,
            refused=note_refused_embeddings,
            error_form=NATIVE_ERRORS,
            summary="Embeddings, in DashScope's own shape",
        ),
        raw_operation(
            "POST",
            "/api/llm/{provider}",
            provider_chat,
            access=Access.PUBLIC,
            body=ChatBody,
            streams=True,
            refused=note_refusal,
            summary="Chat with one provider, in OpenAI's shape or in DashScope's",
        ),
    ]
