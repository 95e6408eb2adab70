"""From events on the wire to records for the database: checked, redacted, cut to size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from pydantic import ValidationError

from services.analytics.events import ANY_EVENT, EARLIEST, KNOWN_ATTRIBUTES, AnyEvent
from services.analytics.identifier import packed
from services.analytics.models import Kind
from services.analytics.privacy import redact, redact_all

MAX_TEXT_CHARACTERS = 2_000
MAX_ANSWER_CHARACTERS = 8_000
_MAX_LABEL_CHARACTERS = 128
_MAX_REASON_CHARACTERS = 300
_MAX_EXTRA_BYTES = 4_096
_MAX_CITATIONS = 50
_MAX_SMALL_NUMBER = 1_000  # of `top_k` and `attempts`, which are parts of combinations
_FUTURE = timedelta(days=1)  # clocks differ, but not by more
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST_US = (EARLIEST - _EPOCH) // _MICROSECOND
_MODEL_CALLS = ("chat", "embedding")
_KINDS = {kind.name: int(kind) for kind in Kind}

# A combination of words: in the order of FACET_COLUMNS or TRAIT_COLUMNS, None where there is none.
Words = tuple[Any, ...]
_NO_TRAITS: Words = (None,) * 12


@dataclass(slots=True)
class Record:
    """One row of `event` in the making; its combinations still hold their words."""

    id: bytes
    time_us: int
    kind: int
    facet: Words
    trait: Words
    request_id: bytes | str
    session: str | None
    visitor_id: bytes | str | None
    duration_us: int | None
    extra: str | None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_nano_usd: int | None = None
    first_token_us: int | None = None
    total_found: int | None = None
    top_score: float | None = None
    rating: int | None = None
    rated_request_id: bytes | str | None = None
    text: str | None = None
    citations: str | None = None
    answer: str | None = None  # lies in a table of its own


@dataclass(frozen=True)
class Intake:
    """Records with their places in the batch, and (place, why) of what is not fit."""

    records: list[tuple[int, Record]]
    rejected: list[tuple[int, str]]


def take_in(
    events: Sequence[object], *, store_questions: bool, now: datetime, store_answers: bool = False
) -> Intake:
    """Checks each event by itself, so that one that is unfit does not hold up the others."""
    found = Intake([], [])
    latest_us = microseconds(now + _FUTURE)
    validate = ANY_EVENT.validate_python
    for index, raw in enumerate(events):
        try:
            event = validate(raw)
        except ValidationError as exc:
            found.rejected.append((index, _why(exc)))
            continue
        time_us = microseconds(event["time"])
        if not _EARLIEST_US <= time_us <= latest_us:
            found.rejected.append((index, "time: out of range (from 2020 to a day from now)"))
            continue
        record = _record(event, time_us, store_questions)
        if store_answers and record.kind == Kind.chat:
            record.answer = _text(event["attributes"].get("trivet.answer"), MAX_ANSWER_CHARACTERS)
        found.records.append((index, record))
    return found


def _why(error: ValidationError) -> str:
    """The first fault as `field: words`."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = [str(part) for part in first["loc"] if part not in Kind.__members__]
    return f"{'.'.join(place) or 'event'}: {first['msg']}"[:_MAX_REASON_CHARACTERS]


def microseconds(time: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (time - _EPOCH) // _MICROSECOND


def _record(event: AnyEvent, time_us: int, store_questions: bool) -> Record:
    """One row of `event` out of a valid event."""
    kind: str = event["kind"]
    attributes: dict[str, Any] = event["attributes"]
    get = attributes.get
    visitor = event.get("visitor_id")
    record = Record(
        id=bytes.fromhex(event["id"].replace("-", "")),
        time_us=time_us,
        kind=_KINDS[kind],
        facet=(
            _KINDS[kind],
            event["service"],
            _label(get("gen_ai.provider.name")) if kind in _MODEL_CALLS else None,
            _label(get("gen_ai.response.model") or get("gen_ai.request.model"))
            if kind in _MODEL_CALLS
            else None,
            get("http.response.status_code"),
            _label(get("error.type")),
            _label(get("trivet.end_reason")),
        ),
        trait=_NO_TRAITS,
        request_id=packed(event["request_id"]),
        session=event.get("session_id") or None,
        visitor_id=packed(visitor) if visitor else None,
        duration_us=_scaled(get("trivet.duration_seconds"), 10**6),
        extra=_extra(attributes, kind),
    )
    if kind in _MODEL_CALLS:
        _add_chat(record, attributes)
    elif kind == "search":
        _add_search(record, attributes)
    elif kind == "feedback":
        _add_feedback(record, attributes)
    if not store_questions and kind != "feedback":
        record.text = None
    return record


def _add_chat(record: Record, attributes: dict[str, Any]) -> None:
    get = attributes.get
    reasons = get("gen_ai.response.finish_reasons")
    record.trait = (
        _label(get("gen_ai.request.model")),
        _label(get("trivet.assistant")),
        _label(reasons[0] if reasons else None),
        get("gen_ai.request.stream"),
        _label(get("trivet.usage_source")),
        None,
        None,
        _label(get("trivet.cause")),
        None,
        _label(get("trivet.fallback_from")),
        _small(get("trivet.attempts")),
        _label(get("trivet.cache")),
    )
    record.input_tokens = get("gen_ai.usage.input_tokens")
    record.output_tokens = get("gen_ai.usage.output_tokens")
    record.cost_nano_usd = _scaled(get("trivet.cost_usd"), 10**9)
    record.first_token_us = _scaled(get("gen_ai.response.time_to_first_chunk"), 10**6)
    record.text = _text(get("trivet.question"))
    record.citations = _citations(get("trivet.citations"))


def _add_search(record: Record, attributes: dict[str, Any]) -> None:
    get = attributes.get
    record.trait = (
        None,
        None,
        None,
        None,
        None,
        _label(get("trivet.collection")),
        _label(get("trivet.mode")),
        _label(get("trivet.cause")),
        _small(get("trivet.top_k")),
        None,
        None,
        None,
    )
    record.total_found = get("trivet.total_found")
    record.top_score = get("trivet.top_score")
    record.text = _text(get("trivet.query"))


def _add_feedback(record: Record, attributes: dict[str, Any]) -> None:
    record.rating = 1 if attributes["trivet.rating"] == "up" else -1
    record.rated_request_id = packed(attributes["trivet.rated_request_id"])
    record.text = _text(attributes.get("trivet.comment"))


def _label(word: str | None) -> str | None:
    return word[:_MAX_LABEL_CHARACTERS] if word else None


def _small(number: int | None) -> int | None:
    return None if number is None else min(number, _MAX_SMALL_NUMBER)


def _scaled(value: float | None, factor: int) -> int | None:
    return None if value is None else round(value * factor)


def _text(text: str | None, most_characters: int = MAX_TEXT_CHARACTERS) -> str | None:
    """Redacted before the last cut, so that no number is cut in two and kept."""
    if not text:
        return None
    near = text[: 4 * most_characters].replace("\0", "")
    return redact(near)[:most_characters].strip() or None


def _citations(ids: list[str] | None) -> str | None:
    """None: no sources were looked for; `[]`: none were found."""
    if ids is None:
        return None
    return orjson.dumps([i[:_MAX_LABEL_CHARACTERS] for i in ids[:_MAX_CITATIONS]]).decode()


def _extra(attributes: dict[str, Any], kind: str) -> str | None:
    """Unknown attributes, redacted, as JSON; when they are too large only their number."""
    unknown = attributes.keys() - KNOWN_ATTRIBUTES[kind]
    if not unknown:
        return None
    found = {name: value for name, value in attributes.items() if name in unknown}
    encoded = orjson.dumps(redact_all(found))
    if len(encoded) > _MAX_EXTRA_BYTES:
        encoded = orjson.dumps({"trivet.dropped_attributes": len(found)})
    return encoded.decode()
