"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], timeout_seconds: float = 10.0, what: str = "") -> T:
    """The first true answer of `condition`; fails with `what` when there is none in time."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_seconds} s: {what or condition}")
        time.sleep(0.01)
