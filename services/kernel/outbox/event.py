"""One event as one line of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import uuid_utils

MAX_EVENT_BYTES = 64 * 1024


def encode_event(
    service: str,
    kind: str,
    attributes: Mapping[str, object],
    *,
    request_id: str,
    session_id: str | None,
    visitor_id: str | None,
) -> bytes | None:
    """The envelope as JSON in UTF-8 with a newline; None when no JSON can be made of it.

    `id` is a UUIDv7: ids that rise with time keep analytics' index of ids dense on disk.
    `time` is RFC 3339 in UTC with microseconds.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    event = {
        "id": str(uuid_utils.uuid7()),
        "kind": kind,
        "time": now.isoformat(timespec="microseconds") + "Z",
        "service": service,
        "request_id": request_id,
        "session_id": session_id,
        "visitor_id": visitor_id,
        "attributes": attributes,
    }
    try:
        return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return _encode_odd(event)


def _encode_odd(event: dict[str, Any]) -> bytes | None:
    """For what orjson refuses: lone surrogates of a caller's text, huge numbers, other types.

    A foreign object becomes the name of its type, since its words might hold a secret.
    """
    try:
        text = json.dumps(event, ensure_ascii=False, default=lambda item: type(item).__name__)
        line = text.encode("utf-8", "replace")
        orjson.loads(line)  # what analytics could not read would hold up the whole batch
    except (TypeError, ValueError, RecursionError):
        return None
    return line + b"\n"
