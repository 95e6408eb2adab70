"""A call over its lanes: one attempt after the other, until one answers or none is left."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.kernel.errors import TrivetError
from services.llm_proxy.caller_watch import CallerWatch
from services.llm_proxy.outlet import Outlet
from services.llm_proxy.providers.base import Prepared, Provider
from services.llm_proxy.record import Record
from services.llm_proxy.relay import Relay
from services.llm_proxy.resilience.course import Course
from services.llm_proxy.resilience.fleet import Fleet
from services.llm_proxy.resilience.lane import Lane
from services.llm_proxy.resilience.verdict import verdict_of
from services.llm_proxy.target import Target

T = TypeVar("T")
# Makes the request for one attempt: the provider with the key to use, and its model.
Prepare = Callable[[Provider, str], Prepared]
Attempt = Callable[[Prepared, float | None], Awaitable[T]]


class Dispatcher:
    """Retries, falls back and keeps the lanes' books. `jitter` gives numbers from 0 up to 1."""

    def __init__(
        self, relay: Relay, fleet: Fleet, *, jitter: Callable[[], float] = random.random
    ) -> None:
        self.fleet = fleet
        self._relay = relay
        self._jitter = jitter

    async def whole(self, target: Target, prepare: Prepare, record: Record) -> bytes:
        """The caller's body. Raises the contract's errors."""

        def attempt(call: Prepared, limit_seconds: float | None) -> Awaitable[bytes]:
            return self._relay.whole(call, record, limit_seconds)

        return await self._dispatch(target, prepare, attempt, record)

    async def stream(
        self,
        target: Target,
        prepare: Prepare,
        outlet: Outlet,
        watch: CallerWatch,
        record: Record,
    ) -> None:
        """Passes a stream on. Raises the contract's errors, before or after the first output."""

        def attempt(call: Prepared, limit_seconds: float | None) -> Awaitable[None]:
            return self._relay.stream(call, outlet, watch, record, limit_seconds)

        await self._dispatch(target, prepare, attempt, record)

    async def _dispatch(
        self, target: Target, prepare: Prepare, attempt: Attempt[T], record: Record
    ) -> T:
        fleet, course, limit_seconds = self.fleet, None, None
        started = fleet.clock()
        lane = fleet.only(target)
        if lane is None:
            course = Course(fleet, target, started, self._jitter)
            lane = course.first()
            record.fallback_from = course.fallen_from
        while True:
            tried, record.target = lane, lane.target
            call = _prepared(prepare, lane, course)
            record.attempts += 1
            probe = fleet.begin(lane)
            try:
                answer = await attempt(call, limit_seconds)
            except TrivetError as error:
                course = course or Course(fleet, target, started, self._jitter)
                lane = self._next(course, lane, error, record)
            else:
                lane.succeeded()
                return answer
            finally:
                tried.end(probe)
            if course.wait_seconds:
                await asyncio.sleep(course.wait_seconds)
            limit_seconds = course.remaining_seconds

    def _next(self, course: Course, lane: Lane, error: TrivetError, record: Record) -> Lane:
        """The lane after a failure. Raises what the caller is told when that was all."""
        if error.provider is None:
            error.provider = lane.target.provider.name
        verdict = verdict_of(error)
        lane.failed(error, verdict, self.fleet.clock())
        if record.first_output_seconds is not None:
            raise error  # the caller has seen a part of this answer: no other can go on with it
        following = course.after(lane, error, verdict)
        if following is None:
            raise course.error or error
        record.reader = None
        record.fallback_from = course.fallen_from
        return following


def _prepared(prepare: Prepare, lane: Lane, course: Course | None) -> Prepared:
    """The request for a lane. A stand-in that cannot take the call is not the caller's trouble."""
    try:
        return prepare(lane.provider, lane.target.model)
    except TrivetError as error:
        if course is None or course.error is None:
            raise
        raise course.error from error
