"""Events as the other services send them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import uuid_utils

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
Event = dict[str, Any]


def event(
    kind: str = "chat",
    attributes: dict[str, Any] | None = None,
    *,
    ago: timedelta = timedelta(),
    time: datetime | None = None,
    **envelope: Any,
) -> Event:
    """One event of `ago` before NOW."""
    return {
        "id": str(uuid_utils.uuid7()),
        "kind": kind,
        "time": (time or NOW - ago).isoformat(),
        "service": "llm_proxy",
        "request_id": "request-1",
        "session_id": None,
        "visitor_id": None,
        "attributes": attributes or {},
        **envelope,
    }


def chat(question: str | None = "how", *, model: str = "m1", **more: Any) -> Event:
    """A chat that was answered; `more` as in `event`, attributes by their own names in `extra`."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "doubao",
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.response.time_to_first_chunk": 0.25,
        "trivet.duration_seconds": 1.5,
        "trivet.cost_usd": 0.000123,
        "trivet.end_reason": "complete",
        "http.response.status_code": 200,
        "trivet.question": question,
        **more.pop("extra", {}),
    }
    return event("chat", attributes, **more)


def search(query: str = "how", *, found: int = 3, cause: str = "user", **more: Any) -> Event:
    attributes = {
        "trivet.query": query,
        "trivet.collection": "site",
        "trivet.mode": "hybrid",
        "trivet.top_k": 3,
        "trivet.total_found": found,
        "trivet.duration_seconds": 0.02,
        "trivet.cause": cause,
        **more.pop("extra", {}),
    }
    return event("search", attributes, service="kb", **more)


def failed(error_type: str = "proxy_error", status: int = 502, **more: Any) -> Event:
    extra = {"error.type": error_type, "http.response.status_code": status}
    return chat(extra=extra | more.pop("extra", {}), **more)


def feedback(rating: str = "up", **more: Any) -> Event:
    attributes = {"trivet.rating": rating, "trivet.rated_request_id": "request-1"}
    return event("feedback", attributes, **more)
