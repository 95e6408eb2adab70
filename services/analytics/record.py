"""Rows of the database as records on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Row

from services.analytics.combination import Dictionary
from services.analytics.identifier import unpacked
from services.analytics.models import KEY_BITS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_RATINGS = {1: "up", -1: "down", None: None}
_MINUTE_US = 60_000_000


def rfc3339(time_us: int) -> str:
    """Microseconds since 1970 as a time in UTC."""
    time = _EPOCH + timedelta(microseconds=time_us)
    return time.isoformat(timespec="microseconds") + "Z"


class RecordWriter:
    """Makes records of rows. Neighbours in time share a minute, which is written once."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._facets = dictionary.facets
        self._traits = dictionary.traits
        self._minute = -1
        self._prefix = ""

    def records(self, rows: Iterable[Row[Any]]) -> list[dict[str, Any]]:
        """As in `schemas.EventRecord`, in its order."""
        return [self._record(row) for row in rows]

    def _time(self, time_us: int) -> str:
        minute, rest = divmod(time_us, _MINUTE_US)
        if minute != self._minute:
            self._minute = minute
            self._prefix = rfc3339(minute * _MINUTE_US)[:17]
        return f"{self._prefix}{rest // 1_000_000:02d}.{rest % 1_000_000:06d}Z"

    def _record(self, row: Any) -> dict[str, Any]:
        key, id, facet, trait, request_id, _, visitor_id = row[:7]
        f, t, uuid = self._facets[facet], self._traits[trait], id.hex()
        return {
            "id": f"{uuid[:8]}-{uuid[8:12]}-{uuid[12:16]}-{uuid[16:20]}-{uuid[20:]}",
            "kind": f.kind,
            "time": self._time(key >> KEY_BITS),
            "service": f.service,
            "request_id": unpacked(request_id),
            "session_id": row.session_id,
            "visitor_id": unpacked(visitor_id),
            "provider": f.provider,
            "model": f.model,
            "requested_model": t.requested_model,
            "assistant": t.assistant,
            "status": f.status,
            "error_type": f.error_type,
            "end_reason": f.end_reason,
            "finish_reason": t.finish_reason,
            "stream": t.stream,
            "input_tokens": row.input_tokens,
            "output_tokens": row.output_tokens,
            "usage_source": t.usage_source,
            "cost_usd": _scaled(row.cost_nano_usd, 10**9),
            "duration_seconds": _scaled(row.duration_us, 10**6),
            "first_token_seconds": _scaled(row.first_token_us, 10**6),
            "fallback_from": t.fallback_from,
            "attempts": t.attempts,
            "cache": t.cache,
            "collection": t.collection,
            "mode": t.mode,
            "cause": t.cause,
            "top_k": t.top_k,
            "total_found": row.total_found,
            "top_score": row.top_score,
            "rating": _RATINGS[row.rating],
            "rated_request_id": unpacked(row.rated_request_id),
            "text": row.text,
            "citations": orjson.loads(row.citations) if row.citations else [],
            "attributes": orjson.loads(row.extra) if row.extra else {},
        }


def _scaled(value: int | None, divisor: int) -> float | None:
    return None if value is None else value / divisor
