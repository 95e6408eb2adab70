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
        (
            key,
            id,
            facet,
            trait,
            request_id,
            _session,
            visitor_id,
            input_tokens,
            output_tokens,
            cost,
            duration,
            first_token,
            total_found,
            top_score,
            rating,
            rated,
            text,
            citations,
            extra,
            session_id,
        ) = row
        f, t, uuid = self._facets[facet], self._traits[trait], id.hex()
        return {
            "id": f"{uuid[:8]}-{uuid[8:12]}-{uuid[12:16]}-{uuid[16:20]}-{uuid[20:]}",
            "kind": f.kind,
            "time": self._time(key >> KEY_BITS),
            "service": f.service,
            "request_id": unpacked(request_id),
            "session_id": session_id,
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
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "usage_source": t.usage_source,
            "cost_usd": None if cost is None else cost / 10**9,
            "duration_seconds": None if duration is None else duration / 10**6,
            "first_token_seconds": None if first_token is None else first_token / 10**6,
            "fallback_from": t.fallback_from,
            "attempts": t.attempts,
            "cache": t.cache,
            "collection": t.collection,
            "mode": t.mode,
            "cause": t.cause,
            "top_k": t.top_k,
            "total_found": total_found,
            "top_score": top_score,
            "rating": _RATINGS[rating],
            "rated_request_id": unpacked(rated),
            "text": text,
            "citations": orjson.loads(citations) if citations else [],
            "attributes": orjson.loads(extra) if extra else {},
        }
