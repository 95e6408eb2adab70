"""What an event looks like on the wire, for each kind: OpenTelemetry's GenAI names where there are
any (https://opentelemetry.io/docs/specs/semconv/gen-ai/), `trivet.` ones for the rest.

Attributes that are not named here are kept as they are, within a bound. The types are dicts, not
models: a batch is checked without making an object an event, which costs a third.
"""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, NotRequired, TypeAlias

from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

_KEEP = ConfigDict(extra="allow", coerce_numbers_to_str=True)
_Count: TypeAlias = Annotated[int, Field(ge=0, le=10**12)]
_Seconds: TypeAlias = Annotated[float, Field(ge=0, le=10**7, allow_inf_nan=False)]
_Score: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
_Usd: TypeAlias = Annotated[float, Field(ge=0, le=10**6)]
_Name: TypeAlias = Annotated[str, Field(max_length=128)]
# A UUID of version 7 (RFC 9562), with hyphens or without.
_UUID7 = r"^(?i:[\da-f]{8}-?[\da-f]{4}-?7[\da-f]{3}-?[89ab][\da-f]{3}-?[\da-f]{12})$"

# What any kind may carry.
_COMMON: dict[str, Any] = {
    "http.response.status_code": NotRequired[Annotated[int, Field(ge=100, le=599)] | None],
    "error.type": NotRequired[str | None],
    "trivet.end_reason": NotRequired[str | None],
    "trivet.duration_seconds": NotRequired[_Seconds | None],
}
# One call of a language model, whether it was answered, refused or broken off; one for embeddings
# is the same without a question.
_CHAT: dict[str, Any] = _COMMON | {
    "gen_ai.operation.name": NotRequired[str | None],
    "gen_ai.provider.name": NotRequired[str | None],
    "gen_ai.request.model": NotRequired[str | None],
    "gen_ai.response.model": NotRequired[str | None],
    "gen_ai.request.stream": NotRequired[bool | None],
    "gen_ai.usage.input_tokens": NotRequired[_Count | None],
    "gen_ai.usage.output_tokens": NotRequired[_Count | None],
    "gen_ai.response.finish_reasons": NotRequired[list[str] | None],
    "gen_ai.response.time_to_first_chunk": NotRequired[_Seconds | None],
    "trivet.cost_usd": NotRequired[_Usd | None],
    "trivet.usage_source": NotRequired[str | None],
    "trivet.assistant": NotRequired[str | None],
    "trivet.question": NotRequired[str | None],
    "trivet.answer": NotRequired[str | None],
    "trivet.citations": NotRequired[list[str] | None],
    "trivet.fallback_from": NotRequired[str | None],
    "trivet.attempts": NotRequired[_Count | None],
    "trivet.cache": NotRequired[str | None],
    "trivet.cause": NotRequired[str | None],
}
# One search in the knowledge base.
_SEARCH: dict[str, Any] = _COMMON | {
    "trivet.query": NotRequired[str | None],
    "trivet.collection": NotRequired[str | None],
    "trivet.mode": NotRequired[str | None],
    "trivet.top_k": NotRequired[_Count | None],
    "trivet.total_found": NotRequired[_Count | None],
    "trivet.top_score": NotRequired[_Score | None],
    "trivet.cause": NotRequired[str | None],
}
# A vote on an answer.
_FEEDBACK: dict[str, Any] = _COMMON | {
    "trivet.rating": Literal["up", "down"],
    "trivet.comment": NotRequired[str | None],
    "trivet.rated_request_id": Annotated[str, Field(min_length=1, max_length=128)],
}


_make_type: Any = TypedDict  # with names and fields that are variables


def _attributes(name: str, fields: dict[str, Any]) -> Any:
    """A type of dict, by fields whose names are no Python names."""
    made = _make_type(name, fields)
    made.__pydantic_config__ = _KEEP
    return made


_ENVELOPE: dict[str, Any] = {
    "id": Annotated[str, Field(pattern=_UUID7)],
    "time": AwareDatetime,
    "service": Annotated[str, Field(min_length=1, max_length=64)],
    "request_id": _Name,
    "session_id": NotRequired[_Name | None],
    "visitor_id": NotRequired[_Name | None],
}


def _event(kind: str, fields: dict[str, Any]) -> Any:
    made = _ENVELOPE | {
        "kind": Literal[kind],
        "attributes": _attributes(f"{kind.title()}Attributes", fields),
    }
    return _make_type(f"{kind.title()}Event", made)


_BY_KIND = {
    "chat": _CHAT,
    "search": _SEARCH,
    "feedback": _FEEDBACK,
    "workflow": _COMMON,
    "error": _COMMON,
    "embedding": _CHAT,
}
KNOWN_ATTRIBUTES = {kind: frozenset(fields) for kind, fields in _BY_KIND.items()}
AnyEvent: TypeAlias = dict[str, Any]


def _any_event() -> Any:
    first, *others = (_event(k, f) for k, f in _BY_KIND.items())
    union = reduce(or_, others, first)
    return Annotated[union, Field(discriminator="kind")]


ANY_EVENT: TypeAdapter[AnyEvent] = TypeAdapter(_any_event())

EARLIEST = datetime.fromisoformat("2020-01-01T00:00:00+00:00")
