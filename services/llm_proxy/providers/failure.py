"""A vendor's error → the kernel's tree, by the contract's mapping.

400, 404, 413 and 422 are the caller's and keep their status; 401, 402, 403 and 5xx are ours to
mend (502); 429 stays; 503 and 529 are overload; time-outs are 504.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from services.kernel.errors import (
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    TrivetError,
    Unprocessable,
    UpstreamError,
    UpstreamTimeout,
)
from services.kernel.sse import SseError, SseParser
from services.llm_proxy.providers.fault import (
    KeyRefused,
    QuotaUsedUp,
    Throttled,
    VendorOverloaded,
)

MAX_MESSAGE_CHARACTERS = 500
_CALLERS: dict[int, type[TrivetError]] = {
    400: InvalidRequest,
    404: NotFound,
    413: PayloadTooLarge,
    422: Unprocessable,
}
# Codes and types that vendors use where no HTTP status is told, as in a stream that has begun.
_STATUS_BY_WORD = (
    (re.compile(r"RateLimit|Throttling|TooMany|Quota|SetLimit|rate_limit|BurstTooFast"), 429),
    (re.compile(r"Overloaded|overloaded|ServiceUnavailable|service_unavailable"), 503),
    (re.compile(r"Time-?Out|timeout", re.IGNORECASE), 504),
    (re.compile(r"ApiKey|api_key|Authentication|Unauthorized|authentication_error"), 401),
    (re.compile(r"Overdue|AccessDenied|OperationDenied|Forbidden|permission_error|billing_"), 403),
    (re.compile(r"NotFound|NotOpen|UnsupportedModel|not_found"), 404),
    (re.compile(r"TooLarge|too_large"), 413),
    (re.compile(r"Internal|server_error|api_error"), 500),
    (
        re.compile(r"[Ii]nvalid|Missing|BadRequest|Risk|Sensitive|Inspection|Outof|Arrear|NotPub"),
        400,
    ),
)
_PERMANENT = re.compile(r"QuotaExceeded|SetLimit|insufficient_quota|Overdue|Arrear|Purchase")
_MAX_WAIT_SECONDS = 86400.0
_DECIMAL = re.compile(rb"\d{1,9}(\.\d{1,9})?")
_SECRET = re.compile(r"(?:Bearer\s+\S+|\b(?:sk|pk|ak|ark|key)-[\w*.-]{4,})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a vendor says went wrong. `status` is 0 where none is told."""

    message: str = ""
    code: str = ""
    kind: str = ""
    status: int = 0


def read_complaint(body: bytes) -> Complaint:
    """Find the error in a body: JSON flat or under `error`, or the same framed as events.

    Vendors label event frames application/json, so the content type is not asked.
    """
    value = _json(body)
    if value is not None:
        return complaint_of(value) or Complaint()
    parser = SseParser()
    try:
        events = parser.feed(body + b"\n\n")
    except SseError:
        return Complaint()
    for event in events:
        found = complaint_of(_json(event.data), status=status_comment(event.comments))
        if found is not None:
            return found
    return Complaint()


def complaint_of(value: Any, *, status: int = 0) -> Complaint | None:
    """The error within a JSON value; None when it holds none."""
    if not isinstance(value, dict):
        return None
    error = value.get("error")
    if isinstance(error, str) and error:
        return Complaint(message=error, status=status)
    if not isinstance(error, dict) or not error:
        if not isinstance(value.get("code"), str) or "message" not in value or "choices" in value:
            return None
        error = value
    code = error.get("code")
    number = code if isinstance(code, int) and 400 <= code <= 599 else 0
    return Complaint(
        message=str(error.get("message") or ""),
        code=str(code or ""),
        kind=str(error.get("type") or ""),
        status=status or number,
    )


def status_comment(comments: tuple[str, ...]) -> int:
    """DashScope tells a frame's status in a comment: `:HTTP_STATUS/400`."""
    for comment in comments:
        name, _, number = comment.partition("/")
        if name.strip() == "HTTP_STATUS" and number.strip().isdigit():
            return int(number) if int(number) >= 400 else 0
    return 0


def translate(
    complaint: Complaint,
    *,
    status: int = 0,
    headers: Mapping[bytes, bytes] | None = None,
    provider: str,
    secret: str = "",
) -> TrivetError:
    """The error of our tree for a vendor's; the vendor's words only where the caller can act."""
    status = status or complaint.status or _guessed_status(complaint)
    words = f"{complaint.code} {complaint.kind}"
    if status in _CALLERS:
        message = presentable(complaint.message, secret) or "The provider refused the request."
        return _CALLERS[status](message, provider=provider)
    if status == 429 and _PERMANENT.search(words):
        return QuotaUsedUp(provider=provider)
    if status == 429:
        return Throttled(told_wait(headers or {}), provider=provider)
    if status in (503, 529):
        return VendorOverloaded(told_wait(headers or {}), provider=provider)
    if status in (408, 504):
        return UpstreamTimeout("The provider timed out.", provider=provider)
    if status in (401, 402, 403):
        return KeyRefused(status, provider=provider)
    return UpstreamError(f"the provider failed ({status}).", provider=provider)


def translate_answer(
    status: int, headers: Mapping[bytes, bytes], body: bytes, *, provider: str, secret: str
) -> TrivetError:
    """The error of our tree for a vendor's answer with an error status."""
    complaint = read_complaint(body)
    return translate(complaint, status=status, headers=headers, provider=provider, secret=secret)


def told_wait(headers: Mapping[bytes, bytes]) -> float | None:
    """Seconds that a vendor wants to be left alone: `retry-after-ms`, or `retry-after`.

    The latter is seconds or a date (RFC 9110, 10.2.3); None for neither, or for nonsense.
    """
    told_ms = _number(headers.get(b"retry-after-ms", b""))
    if told_ms is not None:
        return min(told_ms / 1000, _MAX_WAIT_SECONDS)
    told = headers.get(b"retry-after", b"")
    seconds = _number(told)
    if seconds is None:
        seconds = _seconds_until(told.decode("latin-1"))
    return None if seconds is None else min(seconds, _MAX_WAIT_SECONDS)


def _number(text: bytes) -> float | None:
    return float(text) if _DECIMAL.fullmatch(text.strip()) else None


def _seconds_until(date: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _guessed_status(complaint: Complaint) -> int:
    words = f"{complaint.code} {complaint.kind}"
    return next((status for pattern, status in _STATUS_BY_WORD if pattern.search(words)), 500)


def presentable(message: str, secret: str = "") -> str:
    """A vendor's message without keys (ours is `secret`), in bounded length, on one line."""
    if secret:
        message = message.replace(secret, "[masked]")
    text = " ".join(_SECRET.sub("[masked]", message).split())
    return text[:MAX_MESSAGE_CHARACTERS]


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
