"""Errors and values → bytes of the wire: one JSON error body, in a response or in a stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel
from starlette.responses import Response

from services.kernel.errors import TrivetError


def error_payload(error: TrivetError, request_id: str) -> dict[str, Any]:
    """`{"error": {"message", "type", "code", "request_id"[, "param"][, "provider"]}}`."""
    body: dict[str, Any] = {
        "message": error.message,
        "type": error.type,
        "code": error.status,
        "request_id": request_id,
    }
    if error.param is not None:
        body["param"] = error.param
    if error.provider is not None:
        body["provider"] = error.provider
    return {"error": body}


def error_body(error: TrivetError, request_id: str) -> bytes:
    """The error body as JSON bytes."""
    return orjson.dumps(error_payload(error, request_id))


def error_event(error: TrivetError, request_id: str) -> bytes:
    """The error as one server-sent event, for a stream that has begun."""
    return b"event: error\ndata: " + error_body(error, request_id) + b"\n\n"


@dataclass(frozen=True, slots=True)
class ErrorForm:
    """How a path words its errors: as the body of an answer, and in a stream that has begun.

    A vendor's own paths carry what its SDK reads beside the contract's error.
    """

    body: Callable[[TrivetError, str], bytes] = error_body
    event: Callable[[TrivetError, str], bytes] = error_event


CONTRACT = ErrorForm()


def error_response(error: TrivetError, request_id: str, form: ErrorForm = CONTRACT) -> Response:
    """The error as a whole response with its status and headers."""
    return Response(
        form.body(error, request_id),
        status_code=error.status,
        headers=error.headers,
        media_type="application/json",
    )


def json_response(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """`value` (plain data or a pydantic model) as a JSON response in UTF-8."""
    return Response(
        orjson.dumps(value, default=_plain),
        status_code=status,
        headers=dict(headers or {}),
        media_type="application/json",
    )


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    raise TypeError(type(value).__name__)
