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
