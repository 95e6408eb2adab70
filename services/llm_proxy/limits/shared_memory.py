"""A limiter for the instances of one machine: counts in shared memory (docs/decisions/0017)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Self

from services.kernel.errors import Overloaded
from services.llm_proxy.limits.limit import Claim, Grant, Limits, Refusal, Room
from services.llm_proxy.limits.record import (
    BUCKETS,
    REQUESTS,
    TICK_SECONDS,
    TOKENS,
    Now,
    Record,
)
from services.llm_proxy.limits.table import Table

SPINS = 50  # tries, of half a microsecond, before the event loop does something else
RETRY_SECONDS = 0.001
PATIENCE_SECONDS = 2.0
CONCURRENT_RETRY_SECONDS = 1.0
_log = logging.getLogger(__name__)
_Settling = Callable[[], None]


class SharedMemoryLimiter:
    """Counts in a `Table` under `folder`; `clock` gives seconds since 1970."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.table = Table(folder)
        self._clock = clock
        self._owed: list[_Settling] = []  # what could not be counted while another had the lock
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._pay(last=True)
        self.table.__exit__()

    async def admit(self, claims: Sequence[Claim], tokens: int = 0) -> Grant | Refusal:
        if not self._spin():
            await self._wait()
        try:
            return self._decide(claims, tokens, _moment(self._clock()))
        finally:
            self.table.unlock()

    def settle(self, grant: Grant, tokens: int | None, cost_usd: float) -> None:
        if cost_usd or any(_needs_settling(claim.limits) for claim in grant.claims):
            self._do(partial(self._settle, grant, tokens, cost_usd))

    def has_spent(self, subject: str, day_usd: float, month_usd: float) -> None:
        self._do(partial(self._has_spent, subject, day_usd, month_usd))

    # -- the lock ---------------------------------------------------------------------------------

    def _spin(self) -> bool:
        return self.table.try_lock() or any(self.table.try_lock() for _ in range(SPINS))

    async def _wait(self) -> None:
        """The other one was interrupted while it held the lock: come back a little later."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.table.try_lock():
            if time.monotonic() > deadline:
                raise Overloaded("The limits cannot be checked just now.")
            await asyncio.sleep(RETRY_SECONDS)

    def _do(self, work: _Settling) -> None:
        self._owed.append(work)
        if self._timer is None:
            self._pay()

    def _pay(self, *, last: bool = False) -> None:
        """Do what is owed, or try again soon."""
        self._timer = None
        if not self._spin():
            if last:
                _log.warning("the limits were locked until the end")
            else:
                self._timer = asyncio.get_running_loop().call_later(RETRY_SECONDS, self._pay)
            return
        try:
            owed, self._owed = self._owed, []
            for work in owed:
                work()
        finally:
            self.table.unlock()

    # -- under the lock ---------------------------------------------------------------------------

    def _decide(self, claims: Sequence[Claim], tokens: int, now: Now) -> Grant | Refusal:
        records = [self.table.record(one.subject, now.tick, key=one.key) for one in claims]
        grant = Grant(claims, tokens)
        for claim, record in zip(claims, records, strict=True):
            refusal = self._check(claim, record, grant, now)
            if refusal is not None:
                return refusal
        for claim, record in zip(claims, records, strict=True):
            record.add(REQUESTS, now.tick, 1)
            if claim.limits.tokens_per_minute is not None:
                record.add(TOKENS, now.tick, min(tokens, claim.limits.tokens_per_minute))
            if claim.limits.concurrent is not None:
                record.enter(self.table.seat, self.table.generation)
        grant.mark = now.tick
        return grant

    def _check(self, claim: Claim, record: Record, grant: Grant, now: Now) -> Refusal | None:
        limits = claim.limits
        if limits.requests_per_minute is not None:
            used, limit = record.used(REQUESTS) + 1, limits.requests_per_minute
            if used > limit:
                wait = record.seconds_until(REQUESTS, limit - 1, now)
                return Refusal(claim, "requests", wait)
            grant.requests_room = _tighter(grant.requests_room, limit, used, now)
        if limits.tokens_per_minute is not None:
            limit, wanted = limits.tokens_per_minute, min(grant.tokens, limits.tokens_per_minute)
            used = record.used(TOKENS) + wanted
            if used > limit:
                return Refusal(claim, "tokens", record.seconds_until(TOKENS, limit - wanted, now))
            grant.tokens_room = _tighter(grant.tokens_room, limit, used, now)
        if limits.concurrent is not None and self._is_crowded(record, limits.concurrent):
            return Refusal(claim, "concurrent", CONCURRENT_RETRY_SECONDS)
        return _budget(claim, limits, record, now)

    def _is_crowded(self, record: Record, limit: int) -> bool:
        if record.running(self.table.generations()) < limit:
            return False
        self.table.bury_the_dead(record)
        return record.running(self.table.generations()) >= limit

    def _settle(self, grant: Grant, tokens: int | None, cost_usd: float) -> None:
        now = _moment(self._clock())
        for claim in grant.claims:
            limits = claim.limits
            record = self.table.record(claim.subject, now.tick, key=claim.key)
            if limits.concurrent is not None:
                record.leave(self.table.seat, self.table.generation)
            if limits.tokens_per_minute is not None and tokens is not None:
                counted = min(grant.tokens, limits.tokens_per_minute)
                record.correct(TOKENS, grant.mark, now.tick, tokens - counted)
            if cost_usd and claim.key:
                record.spend(now, cost_usd)

    def _has_spent(self, subject: str, day_usd: float, month_usd: float) -> None:
        now = _moment(self._clock())
        record = self.table.record(subject, now.tick, key=True)
        record.has_spent(now, day_usd, month_usd)


def _needs_settling(limits: Limits) -> bool:
    return limits.concurrent is not None or limits.tokens_per_minute is not None


def _budget(claim: Claim, limits: Limits, record: Record, now: Now) -> Refusal | None:
    if limits.daily_usd is not None and record.spent_today_usd(now) >= limits.daily_usd:
        return Refusal(claim, "daily_budget", (now.day + 1) * 86400 - now.seconds)
    if limits.monthly_usd is not None and record.spent_this_month_usd(now) >= limits.monthly_usd:
        return Refusal(claim, "monthly_budget", _seconds_to_next_month(now))
    return None


def _tighter(other: Room | None, limit: int, used: int, now: Now) -> Room:
    """Of two rooms the one with less left; the call that is let in now is the last to be gone."""
    if other is not None and other.remaining <= limit - used:
        return other
    return Room(limit, limit - used, (now.tick + BUCKETS) * TICK_SECONDS - now.seconds)


def _moment(seconds: float) -> Now:
    day = int(seconds // 86400)
    return Now(seconds, int(seconds // TICK_SECONDS), day, _month_of(day))


@lru_cache(maxsize=8)
def _month_of(day: int) -> int:
    """The number of the month that a day, counted from 1970, lies in."""
    date = datetime.fromtimestamp(day * 86400, UTC)
    return date.year * 12 + date.month


def _seconds_to_next_month(now: Now) -> float:
    today = datetime.fromtimestamp(now.seconds, UTC)
    first = (today.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0)
    return first.replace(microsecond=0).timestamp() - now.seconds
