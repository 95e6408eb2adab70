"""What an error means for the next attempt."""

from __future__ import annotations

from enum import Enum, auto

from services.kernel.errors import Overloaded, TrivetError, UpstreamError, UpstreamTimeout
from services.llm_proxy.providers.fault import KeyRefused, QuotaUsedUp, Throttled
from services.llm_proxy.upstream import Saturated


class Verdict(Enum):
    """The classes of failures."""

    CALLERS = auto()  # 400, 404, 413, 422: another attempt would be told the same
    KEY = auto()  # 401, 402, 403: never again with this key
    SPENT = auto()  # a 429 that waiting does not mend
    THROTTLED = auto()  # a 429 that passes
    FULL = auto()  # our own bound on connections: no fault of the deployment
    FAILED = auto()  # no connection, no answer in time, 5xx, an answer that makes no sense


def verdict_of(error: TrivetError) -> Verdict:
    """The class of an error that one attempt ended with."""
    if isinstance(error, KeyRefused):
        return Verdict.KEY
    if isinstance(error, QuotaUsedUp):
        return Verdict.SPENT
    if isinstance(error, Throttled):
        return Verdict.THROTTLED
    if isinstance(error, Saturated):
        return Verdict.FULL
    if isinstance(error, UpstreamError | UpstreamTimeout | Overloaded):
        return Verdict.FAILED
    return Verdict.CALLERS


def told_wait(error: TrivetError) -> float:
    """How long the vendor wants to be left alone, in seconds; 0 where it did not say."""
    seconds: float | None = getattr(error, "wait_seconds", None)
    return seconds or 0.0
