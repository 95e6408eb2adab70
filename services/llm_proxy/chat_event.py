"""A record as analytics and the access log get it."""

from __future__ import annotations

from services.llm_proxy.providers.base import Outcome, Usage
from services.llm_proxy.record import Record, UsageSource


def attributes_of(
    record: Record,
    seconds: float,
    usage: Usage | None,
    source: UsageSource,
    cost: float | None,
) -> dict[str, object]:
    """What an event tells of a chat or of a call for embeddings; none of it is null. The names are
    OpenTelemetry's where there are such.

    https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/
    """
    told: dict[str, object] = {
        "gen_ai.operation.name": record.operation,
        "gen_ai.request.stream": record.stream,
        "trivet.duration_seconds": seconds,
        "trivet.usage_source": source,
        "trivet.end_reason": record.end_reason,
        "http.response.status_code": record.status,
    }
    if record.operation == "chat" and record.cause is None:
        told["trivet.question"] = record.question
    if record.heard is not None and record.heard.text:
        told["trivet.answer"] = record.heard.text
    if record.target is not None:
        told["gen_ai.provider.name"] = record.target.provider.name
        told["gen_ai.request.model"] = record.target.model
    elif record.asked_model is not None:
        told["gen_ai.request.model"] = record.asked_model
    if usage is not None:
        _tell_usage(told, usage, cost)
    if record.outcome is not None:
        _tell_outcome(told, record.outcome)
    if record.first_output_seconds is not None:
        told["gen_ai.response.time_to_first_chunk"] = record.first_output_seconds
    if record.attempts:
        told["trivet.attempts"] = record.attempts
    if record.error is not None:
        told["error.type"] = record.error.type
    _tell_names(told, record)
    return told


def _tell_names(told: dict[str, object], record: Record) -> None:
    """Why it was asked, who pays, what another model stands in for, which assistant answered, and
    from what."""
    if record.cause is not None:
        told["trivet.cause"] = record.cause
    if record.key_id is not None:
        told["trivet.key_id"] = record.key_id
    if record.fallback_from is not None:
        told["trivet.fallback_from"] = record.fallback_from
    if record.assistant is not None:
        told["trivet.assistant"] = record.assistant
        if record.citations is not None:
            told["trivet.citations"] = record.citations


def _tell_usage(told: dict[str, object], usage: Usage, cost: float | None) -> None:
    told["gen_ai.usage.input_tokens"] = usage.input_tokens
    told["gen_ai.usage.output_tokens"] = usage.output_tokens
    if usage.cached_input_tokens:
        told["gen_ai.usage.cache_read.input_tokens"] = usage.cached_input_tokens
    if usage.cache_write_tokens:
        told["gen_ai.usage.cache_creation.input_tokens"] = usage.cache_write_tokens
    if usage.reasoning_tokens:
        told["gen_ai.usage.reasoning.output_tokens"] = usage.reasoning_tokens
    if cost is not None:
        told["trivet.cost_usd"] = cost


def _tell_outcome(told: dict[str, object], outcome: Outcome) -> None:
    if outcome.model is not None:
        told["gen_ai.response.model"] = outcome.model
    if outcome.finish_reasons:
        told["gen_ai.response.finish_reasons"] = outcome.finish_reasons


def log_fields_of(record: Record, usage: Usage | None, source: UsageSource) -> dict[str, object]:
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
