"""From events on the wire to records for the database: checked, redacted, cut to size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import orjson
from pydantic import ValidationError

from services.analytics.events import (
    ANY_EVENT,
    EARLIEST,
    AnyEvent,
    Attributes,
    ChatEvent,
    FeedbackEvent,
    SearchEvent,
)
from services.analytics.models import Event, Kind
from services.analytics.privacy import redact, redact_all

# Columns of `event`; those that point to labels still hold their words.
Record: TypeAlias = dict[str, Any]

MAX_TEXT_CHARACTERS = 2_000
_MAX_LABEL_CHARACTERS = 128
_MAX_REASON_CHARACTERS = 300
_MAX_EXTRA_BYTES = 4_096
_MAX_CITATIONS = 50
_FUTURE = timedelta(days=1)  # clocks differ, but not by more
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EMPTY: Record = {name: None for name in Event.model_fields if name != "seq"}


@dataclass(frozen=True)
class Intake:
    """Records with their places in the batch, and (place, why) of what is not fit."""

    records: list[tuple[int, Record]]
    rejected: list[tuple[int, str]]


def take_in(events: Sequence[object], *, store_questions: bool, now: datetime) -> Intake:
    """Checks each event by itself, so that one that is unfit does not hold up the others."""
    found = Intake([], [])
    for index, raw in enumerate(events):
        try:
            event = ANY_EVENT.validate_python(raw)
        except ValidationError as exc:
            found.rejected.append((index, _why(exc)))
            continue
        if not EARLIEST <= event.time <= now + _FUTURE:
            found.rejected.append((index, "time: out of range (from 2020 to a day from now)"))
            continue
        found.records.append((index, record_of(event, store_questions=store_questions)))
    return found


def _why(error: ValidationError) -> str:
    """The first fault as `field: words`."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = [str(part) for part in first["loc"] if part not in Kind.__members__]
    return f"{'.'.join(place) or 'event'}: {first['msg']}"[:_MAX_REASON_CHARACTERS]


def record_of(event: AnyEvent, *, store_questions: bool) -> Record:
    """One row of `event` out of a valid event."""
    attributes = event.attributes
    record = _EMPTY | {
        "id": event.id.bytes,
        "time_us": microseconds(event.time),
        "kind": int(Kind[event.kind]),
        "service": _label(event.service),
        "request_id": event.request_id,
        "session_id": event.session_id or None,
        "visitor_id": event.visitor_id or None,
        "status": attributes.status,
        "error_type": _label(attributes.error_type),
        "end_reason": _label(attributes.end_reason),
        "duration_us": _scaled(attributes.duration_seconds, 10**6),
        "extra": _extra(attributes),
    }
    if isinstance(event, ChatEvent):
        record |= _of_chat(event)
    elif isinstance(event, SearchEvent):
        record |= _of_search(event)
    elif isinstance(event, FeedbackEvent):
        record |= _of_feedback(event)
    if not store_questions and not isinstance(event, FeedbackEvent):
        record["text"] = None
    return record


def microseconds(time: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (time - _EPOCH) // _MICROSECOND


def _of_chat(event: ChatEvent) -> Record:
    a = event.attributes
    return {
        "provider": _label(a.provider),
        "model": _label(a.response_model or a.request_model),
        "requested_model": _label(a.request_model),
        "assistant": _label(a.assistant),
        "finish_reason": _label(a.finish_reasons[0] if a.finish_reasons else None),
        "stream": a.stream,
        "input_tokens": a.input_tokens,
        "output_tokens": a.output_tokens,
        "usage_source": _label(a.usage_source),
        "cost_nano_usd": _scaled(a.cost_usd, 10**9),
        "first_token_us": _scaled(a.first_token_seconds, 10**6),
        "text": _text(a.question),
        "citations": _citations(a.citations),
    }


def _of_search(event: SearchEvent) -> Record:
    a = event.attributes
    return {
        "collection": _label(a.collection),
        "mode": _label(a.mode),
        "cause": _label(a.cause),
        "top_k": a.top_k,
        "total_found": a.total_found,
        "top_score": a.top_score,
        "text": _text(a.query),
    }


def _of_feedback(event: FeedbackEvent) -> Record:
    a = event.attributes
    return {
        "rating": 1 if a.rating == "up" else -1,
        "rated_request_id": a.rated_request_id,
        "text": _text(a.comment),
    }


def _label(word: str | None) -> str | None:
    return word[:_MAX_LABEL_CHARACTERS] if word else None


def _scaled(value: float | None, factor: int) -> int | None:
    return None if value is None else round(value * factor)


def _text(text: str | None) -> str | None:
    """Redacted before the last cut, so that no number is cut in two and kept."""
    if not text:
        return None
    near = text[: 4 * MAX_TEXT_CHARACTERS].replace("\0", "")
    return redact(near)[:MAX_TEXT_CHARACTERS].strip() or None


def _citations(ids: list[str] | None) -> str | None:
    if not ids:
        return None
    return orjson.dumps([i[:_MAX_LABEL_CHARACTERS] for i in ids[:_MAX_CITATIONS]]).decode()


def _extra(attributes: Attributes) -> str | None:
    """Unknown attributes, redacted, as JSON; when they are too large only their number."""
    found = attributes.model_extra
    if not found:
        return None
    encoded = orjson.dumps(redact_all(found))
    if len(encoded) > _MAX_EXTRA_BYTES:
        encoded = orjson.dumps({"trivet.dropped_attributes": len(found)})
    return encoded.decode()
