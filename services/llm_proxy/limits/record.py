"""One subject's counts: a row of 64-bit integers in memory that several processes share.

    0, 1   digest of the subject; both 0: a free row
    2      tick of the last use
    3      tick up to which the windows are cleared
    4 …    calls in each of the last ticks, a ring
    35 …   tokens in each of the last ticks, a ring
    66 …   calls that run now, for each seat: its generation and a count
    82 …   day, spent that day; month, spent that month (nano-dollars)

A minute is `BUCKETS` ticks: the one that runs, and as many before it as fill 60 seconds. Their sum
is never less than what the last 60 seconds have seen, so no limit is ever passed; the price is that
a used place comes back up to one tick late.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

TICK_SECONDS = 2
BUCKETS = 60 // TICK_SECONDS + 1
SEATS = 16
RECORD_WORDS = 96
REQUESTS, TOKENS = 4, 4 + BUCKETS
_TOUCHED, _CLEARED = 2, 3
_SEATS = TOKENS + BUCKETS
_DAY = _SEATS + SEATS
_MONTH = _DAY + 2
_COUNT_BITS = 32
_COUNT_MASK = (1 << _COUNT_BITS) - 1
_NANO = 1_000_000_000
_EMPTY = memoryview(bytes(8 * RECORD_WORDS)).cast("q")


class Now(NamedTuple):
    """A moment: seconds since 1970, the tick, and the numbers of the UTC day and month."""

    seconds: float
    tick: int
    day: int
    month: int


class Record:
    """A row at `base`. The caller holds the lock."""

    __slots__ = ("_base", "_words")

    def __init__(self, words: memoryview, base: int) -> None:
        self._words = words
        self._base = base

    def take_over(self, digest: tuple[int, int]) -> None:
        """Begin anew for another subject."""
        base = self._base
        self._words[base : base + RECORD_WORDS] = _EMPTY
        self._words[base], self._words[base + 1] = digest

    def advance(self, tick: int) -> None:
        """Clear the ticks that have passed. A clock that was set back empties the windows."""
        words, base = self._words, self._base
        words[base + _TOUCHED] = tick
        passed = tick - words[base + _CLEARED]
        if passed == 0:
            return
        if passed < 0 or passed >= BUCKETS:
            words[base + REQUESTS : base + _SEATS] = _EMPTY[: 2 * BUCKETS]
        else:
            for later in range(tick - passed + 1, tick + 1):
                words[base + REQUESTS + later % BUCKETS] = 0
                words[base + TOKENS + later % BUCKETS] = 0
        words[base + _CLEARED] = tick

    # -- windows ----------------------------------------------------------------------------------

    def used(self, ring: int) -> int:
        """How much of a minute's ring is used."""
        first = self._base + ring
        return sum(self._words[first : first + BUCKETS])

    def add(self, ring: int, tick: int, amount: int) -> None:
        """Count in a tick that is still in the window; what was too much falls to zero."""
        at = self._base + ring + tick % BUCKETS
        self._words[at] = max(0, self._words[at] + amount)

    def correct(self, ring: int, tick: int, now_tick: int, amount: int) -> None:
        """Count what a call of `tick` took more or less than expected."""
        if amount < 0 and now_tick - tick < BUCKETS:
            self.add(ring, tick, amount)
        elif amount > 0:
            self.add(ring, now_tick, amount)

    def seconds_until(self, ring: int, room: int, now: Now) -> float:
        """Until no more than `room` is used, if nothing is added."""
        used, first = self.used(ring), self._base + ring
        tick = now.tick - BUCKETS + 1
        while used > room and tick <= now.tick:
            used -= self._words[first + tick % BUCKETS]
            tick += 1
        return max(0.0, (tick + BUCKETS - 1) * TICK_SECONDS - now.seconds)

    # -- calls that run ---------------------------------------------------------------------------

    def running(self, generations: Iterable[int]) -> int:
        """Calls that run now; those of a process that is gone have an old generation."""
        first = self._base + _SEATS
        cells = self._words[first : first + SEATS]
        return sum(
            cell & _COUNT_MASK
            for cell, generation in zip(cells, generations, strict=True)
            if cell and cell >> _COUNT_BITS == generation
        )

    def seats(self) -> list[int]:
        """The seats that have, or had, calls of this subject."""
        first = self._base + _SEATS
        return [seat for seat in range(SEATS) if self._words[first + seat] & _COUNT_MASK]

    def enter(self, seat: int, generation: int) -> None:
        """One more call runs in the process of this seat."""
        at = self._base + _SEATS + seat
        cell = self._words[at]
        if cell >> _COUNT_BITS != generation:
            cell = generation << _COUNT_BITS
        self._words[at] = cell + 1

    def leave(self, seat: int, generation: int) -> None:
        """One call of this seat is over."""
        at = self._base + _SEATS + seat
        cell = self._words[at]
        if cell >> _COUNT_BITS == generation and cell & _COUNT_MASK:
            self._words[at] = cell - 1

    # -- money ------------------------------------------------------------------------------------

    def spent_today_usd(self, now: Now) -> float:
        return self._spent(_DAY, now.day)

    def spent_this_month_usd(self, now: Now) -> float:
        return self._spent(_MONTH, now.month)

    def spend(self, now: Now, cost_usd: float) -> None:
        """Count a cost for the day and the month."""
        for at, number in ((_DAY, now.day), (_MONTH, now.month)):
            self._set_spent(at, number, self._spent(at, number) + cost_usd)

    def has_spent(self, now: Now, day_usd: float, month_usd: float) -> None:
        """At least so much was spent."""
        for at, number, usd in ((_DAY, now.day, day_usd), (_MONTH, now.month, month_usd)):
            self._set_spent(at, number, max(usd, self._spent(at, number)))

    def _spent(self, at: int, number: int) -> float:
        words, first = self._words, self._base + at
        return words[first + 1] / _NANO if words[first] == number else 0.0

    def _set_spent(self, at: int, number: int, usd: float) -> None:
        words, first = self._words, self._base + at
        words[first], words[first + 1] = number, round(usd * _NANO)
