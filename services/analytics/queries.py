"""Records out: filtered, newest first, page by page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import uuid_utils
from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from services.analytics.labels import number_of, words_by_number
from services.analytics.models import Event, Kind, table
from services.analytics.schemas import RecordFilter

_event = table(Event)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_KIND_NAMES = {int(kind): kind.name for kind in Kind}
_RATINGS = {1: "up", -1: "down", None: None}


def rfc3339(time_us: int) -> str:
    """Microseconds since 1970 as a time in UTC."""
    time = _EPOCH + timedelta(microseconds=time_us)
    return time.isoformat(timespec="microseconds") + "Z"


class RecordReader:
    """Reads pages within one database connection; knows the labels as they are now."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._words: dict[int | None, str | None] = {None: None}
        for number, word in words_by_number(connection).items():
            self._words[number] = word

    def page(
        self, wanted: RecordFilter, limit: int, cursor: str | None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """(records, cursor of the next page or None). The cursor is a place, not a number of
        rows, so a page far back costs no more than the first."""
        statement = self._statement(wanted, cursor).limit(limit + 1)
        rows = self._connection.execute(statement).all()
        following = None
        if len(rows) > limit:
            following = f"{rows[limit - 1].time_us}-{rows[limit - 1].seq}"
        return [self._record(row) for row in rows[:limit]], following

    def _statement(self, wanted: RecordFilter, cursor: str | None) -> Select[Any]:
        conditions = _conditions(self._connection, wanted)
        if cursor is not None:
            time_us, seq = (int(part) for part in cursor.split("-"))
            conditions += [
                _event.c.time_us <= time_us,
                or_(_event.c.time_us < time_us, _event.c.seq < seq),
            ]
        newest_first = (_event.c.time_us.desc(), _event.c.seq.desc())
        return select(_event).where(and_(True, *conditions)).order_by(*newest_first)

    def _record(self, row: Any) -> dict[str, Any]:
        """As in `schemas.EventRecord`, in its order."""
        words = self._words
        return {
            "id": str(uuid_utils.UUID(bytes=row.id)),
            "kind": _KIND_NAMES[row.kind],
            "time": rfc3339(row.time_us),
            "service": words[row.service],
            "request_id": row.request_id,
            "session_id": row.session_id,
            "visitor_id": row.visitor_id,
            "provider": words[row.provider],
            "model": words[row.model],
            "requested_model": words[row.requested_model],
            "assistant": words[row.assistant],
            "status": row.status,
            "error_type": words[row.error_type],
            "end_reason": words[row.end_reason],
            "finish_reason": words[row.finish_reason],
            "stream": row.stream,
            "input_tokens": row.input_tokens,
            "output_tokens": row.output_tokens,
            "usage_source": words[row.usage_source],
            "cost_usd": _scaled(row.cost_nano_usd, 10**9),
            "duration_seconds": _scaled(row.duration_us, 10**6),
            "first_token_seconds": _scaled(row.first_token_us, 10**6),
            "collection": words[row.collection],
            "mode": words[row.mode],
            "cause": words[row.cause],
            "top_k": row.top_k,
            "total_found": row.total_found,
            "top_score": row.top_score,
            "rating": _RATINGS[row.rating],
            "rated_request_id": row.rated_request_id,
            "text": row.text,
            "citations": orjson.loads(row.citations) if row.citations else [],
            "attributes": orjson.loads(row.extra) if row.extra else {},
        }


def _scaled(value: int | None, divisor: int) -> float | None:
    return None if value is None else value / divisor


def _conditions(connection: Connection, wanted: RecordFilter) -> list[ColumnElement[bool]]:
    """The filters as SQL. Words that no record has become a number that no record has."""
    by_word = {
        "service": wanted.service,
        "provider": wanted.provider,
        "model": wanted.model,
        "error_type": wanted.error_type,
    }
    by_value = {"session_id": wanted.session, "request_id": wanted.request_id}
    found = [
        _event.c[name] == number_of(connection, word)
        for name, word in by_word.items()
        if word is not None
    ]
    found += [_event.c[name] == value for name, value in by_value.items() if value is not None]
    if wanted.kind is not None:
        found.append(_event.c.kind == int(Kind[wanted.kind]))
    if wanted.from_us is not None:
        found.append(_event.c.time_us >= wanted.from_us)
    if wanted.to_us is not None:
        found.append(_event.c.time_us < wanted.to_us)
    if wanted.text is not None:
        found.append(_event.c.text.contains(wanted.text, autoescape=True))
    return found + _status_conditions(wanted.status)


def _status_conditions(status: int | str | None) -> list[ColumnElement[bool]]:
    if status is None:
        return []
    if status == "ok":
        return [_event.c.error_type.is_(None)]
    if status == "error":
        return [_event.c.error_type.is_not(None)]
    return [_event.c.status == status]
