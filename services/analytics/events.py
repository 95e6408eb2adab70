"""What an event looks like on the wire, for each kind: OpenTelemetry's GenAI names where there are
any (https://opentelemetry.io/docs/specs/semconv/gen-ai/), `trivet.` ones for the rest.

Attributes that are not named here are kept as they are, within a bound.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import UUID7, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

_Count: TypeAlias = Annotated[int, Field(ge=0, le=10**12)]
_Seconds: TypeAlias = Annotated[float, Field(ge=0, le=10**7, allow_inf_nan=False)]


class Attributes(BaseModel):
    """What any kind may carry."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)

    status: int | None = Field(None, alias="http.response.status_code", ge=100, le=599)
    error_type: str | None = Field(None, alias="error.type")
    end_reason: str | None = Field(None, alias="trivet.end_reason")
    duration_seconds: _Seconds | None = Field(None, alias="trivet.duration_seconds")


class ChatAttributes(Attributes):
    """One call of a language model, whether it was answered, refused or broken off."""

    operation: str | None = Field(None, alias="gen_ai.operation.name")
    provider: str | None = Field(None, alias="gen_ai.provider.name")
    request_model: str | None = Field(None, alias="gen_ai.request.model")
    response_model: str | None = Field(None, alias="gen_ai.response.model")
    stream: bool | None = Field(None, alias="gen_ai.request.stream")
    input_tokens: _Count | None = Field(None, alias="gen_ai.usage.input_tokens")
    output_tokens: _Count | None = Field(None, alias="gen_ai.usage.output_tokens")
    finish_reasons: list[str] | None = Field(None, alias="gen_ai.response.finish_reasons")
    first_token_seconds: _Seconds | None = Field(None, alias="gen_ai.response.time_to_first_chunk")
    cost_usd: float | None = Field(None, alias="trivet.cost_usd", ge=0, le=10**6)
    usage_source: str | None = Field(None, alias="trivet.usage_source")
    assistant: str | None = Field(None, alias="trivet.assistant")
    question: str | None = Field(None, alias="trivet.question")
    citations: list[str] | None = Field(None, alias="trivet.citations")


class SearchAttributes(Attributes):
    """One search in the knowledge base."""

    query: str | None = Field(None, alias="trivet.query")
    collection: str | None = Field(None, alias="trivet.collection")
    mode: str | None = Field(None, alias="trivet.mode")
    top_k: _Count | None = Field(None, alias="trivet.top_k")
    total_found: _Count | None = Field(None, alias="trivet.total_found")
    top_score: float | None = Field(None, alias="trivet.top_score", allow_inf_nan=False)
    cause: str | None = Field(None, alias="trivet.cause")


class FeedbackAttributes(Attributes):
    """A vote on an answer."""

    rating: Literal["up", "down"] = Field(alias="trivet.rating")
    comment: str | None = Field(None, alias="trivet.comment")
    rated_request_id: str = Field(alias="trivet.rated_request_id", min_length=1, max_length=128)


class _Envelope(BaseModel):
    id: UUID7
    time: AwareDatetime
    service: str = Field(min_length=1, max_length=64)
    request_id: str = Field(max_length=128)
    session_id: str | None = Field(None, max_length=128)
    visitor_id: str | None = Field(None, max_length=128)


class ChatEvent(_Envelope):
    kind: Literal["chat"]
    attributes: ChatAttributes


class SearchEvent(_Envelope):
    kind: Literal["search"]
    attributes: SearchAttributes


class FeedbackEvent(_Envelope):
    kind: Literal["feedback"]
    attributes: FeedbackAttributes


class WorkflowEvent(_Envelope):
    kind: Literal["workflow"]
    attributes: Attributes


class ErrorEvent(_Envelope):
    kind: Literal["error"]
    attributes: Attributes


AnyEvent: TypeAlias = ChatEvent | SearchEvent | FeedbackEvent | WorkflowEvent | ErrorEvent
ANY_EVENT: TypeAdapter[AnyEvent] = TypeAdapter(Annotated[AnyEvent, Field(discriminator="kind")])

EARLIEST = datetime.fromisoformat("2020-01-01T00:00:00+00:00")
