"""Two limiters over one folder count as one, and never let more through than they may."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel.errors import Overloaded
from services.llm_proxy.limits import (
    Claim,
    Grant,
    Limits,
    Refusal,
    SharedMemoryLimiter,
    shared_memory,
)
from services.llm_proxy.limits.record import TICK_SECONDS

START = 1_763_769_600.0  # 2025-11-22, 00:00 UTC
ADDRESS = Claim("chat:203.0.113.9", Limits(requests_per_minute=3))


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Pair:
    """Two limiters over one folder, as two instances have them."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.one = SharedMemoryLimiter(folder, self.clock)
        self.other = SharedMemoryLimiter(folder, self.clock)

    def admit(self, claim: Claim, tokens: int = 0, *, other: bool = False) -> Grant | Refusal:
        limiter = self.other if other else self.one
        return asyncio.run(limiter.admit((claim,), tokens))

    def refused(self, claim: Claim, tokens: int = 0) -> Refusal:
        answer = self.admit(claim, tokens)
        assert isinstance(answer, Refusal)
        return answer

    def granted(self, claim: Claim, tokens: int = 0) -> Grant:
        answer = self.admit(claim, tokens)
        assert isinstance(answer, Grant)
        return answer

    def close(self) -> None:
        for limiter in (self.one, self.other):
            limiter.__exit__()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path)
    yield made
    made.close()


def test_two_instances_share_one_limit(pair: Pair) -> None:
    answers = [pair.admit(ADDRESS, other=bool(n % 2)) for n in range(4)]
    assert [isinstance(answer, Grant) for answer in answers] == [True, True, True, False]


def test_a_refusal_says_when_to_come_again_and_is_right(pair: Pair) -> None:
    for _ in range(3):
        pair.granted(ADDRESS)
        pair.clock.now += 7
    refusal = pair.refused(ADDRESS)
    assert refusal.kind == "requests"
    pair.clock.now += refusal.retry_after_seconds - 0.01
    pair.refused(ADDRESS)
    pair.clock.now += 0.01
    pair.granted(ADDRESS)


def test_what_was_refused_is_not_counted_on_any_claim(pair: Pair) -> None:
    key = Claim("key:a", Limits(requests_per_minute=1), key=True)
    pair.granted(key)
    both = asyncio.run(pair.one.admit((ADDRESS, key)))
    assert isinstance(both, Refusal)
    assert both.claim is key
    for _ in range(3):
        pair.granted(ADDRESS)


def test_room_is_told_and_is_the_tightest(pair: Pair) -> None:
    wide = Claim("key:b", Limits(requests_per_minute=10, tokens_per_minute=1000), key=True)
    grant = asyncio.run(pair.one.admit((wide, ADDRESS), 100))
    assert isinstance(grant, Grant)
    assert grant.requests_room is not None
    assert (grant.requests_room.limit, grant.requests_room.remaining) == (3, 2)
    assert grant.tokens_room is not None
    assert (grant.tokens_room.limit, grant.tokens_room.remaining) == (1000, 900)
    assert 60 <= grant.requests_room.reset_seconds <= 60 + TICK_SECONDS


def test_tokens_are_expected_before_and_corrected_after(pair: Pair) -> None:
    key = Claim("key:c", Limits(tokens_per_minute=1000), key=True)
    grant = pair.granted(key, 900)
    assert pair.refused(key, 200).kind == "tokens"
    pair.one.settle(grant, 100, 0.0)
    pair.granted(key, 900)
    assert pair.refused(key, 1).kind == "tokens"


def test_more_tokens_than_expected_count_too(pair: Pair) -> None:
    key = Claim("key:d", Limits(tokens_per_minute=1000), key=True)
    pair.one.settle(pair.granted(key, 10), 1500, 0.0)
    assert pair.refused(key, 1).kind == "tokens"


def test_a_call_that_expects_more_than_the_limit_is_let_in_alone(pair: Pair) -> None:
    key = Claim("key:e", Limits(tokens_per_minute=1000), key=True)
    pair.granted(key, 50_000)
    pair.refused(key, 1)


def test_a_place_is_free_when_its_call_is_settled(pair: Pair) -> None:
    key = Claim("key:f", Limits(concurrent=2), key=True)
    first = pair.granted(key)
    pair.admit(key, other=True)
    assert pair.refused(key).kind == "concurrent"
    pair.one.settle(first, None, 0.0)
    pair.granted(key)
    pair.refused(key)


def test_places_of_an_instance_that_is_gone_come_back(pair: Pair, tmp_path: Path) -> None:
    key = Claim("key:g", Limits(concurrent=1), key=True)
    pair.admit(key, other=True)
    pair.refused(key)
    pair.other.__exit__()  # its seat is free, and it settled nothing
    pair.granted(key)
    pair.refused(key)
    pair.other = SharedMemoryLimiter(tmp_path, pair.clock)
    pair.refused(key)


def test_a_budget_is_spent_by_both_and_begins_anew_at_midnight_utc(pair: Pair) -> None:
    key = Claim("key:h", Limits(daily_usd=1.0, monthly_usd=1.5), key=True)
    pair.one.settle(pair.granted(key), 1, 0.6)
    pair.other.settle(pair.granted(key), 1, 0.4)
    pair.clock.now += 3600
    refusal = pair.refused(key)
    assert refusal.kind == "daily_budget"
    assert refusal.retry_after_seconds == 23 * 3600
    pair.clock.now += 23 * 3600
    pair.one.settle(pair.granted(key), 1, 0.5)
    refusal = pair.refused(key)
    assert refusal.kind == "monthly_budget"
    assert refusal.retry_after_seconds == 8 * 86400
    pair.clock.now += refusal.retry_after_seconds
    pair.granted(key)


def test_what_was_written_down_counts_and_counts_once(pair: Pair) -> None:
    key = Claim("key:i", Limits(daily_usd=1.0), key=True)
    pair.one.has_spent(key.subject, 0.5, 0.5)
    pair.other.has_spent(key.subject, 0.5, 0.5)
    pair.one.settle(pair.granted(key), 1, 0.4)
    pair.one.has_spent(key.subject, 0.5, 0.5)
    pair.one.settle(pair.granted(key), 1, 0.1)
    pair.refused(key)


def test_a_clock_that_was_set_back_locks_nobody_out(pair: Pair) -> None:
    for _ in range(3):
        pair.granted(ADDRESS)
    pair.clock.now -= 3600
    pair.granted(ADDRESS)


def test_counts_outlive_the_processes(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    for _ in range(3):
        pair.granted(ADDRESS)
    pair.close()
    again = Pair(tmp_path)
    again.refused(ADDRESS)
    again.close()


def test_any_number_of_strangers_is_counted_without_growing(pair: Pair, tmp_path: Path) -> None:
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    key = Claim("key:j", Limits(requests_per_minute=1), key=True)
    pair.granted(key)

    async def crowd() -> None:
        for n in range(20_000):
            await pair.one.admit((Claim(f"chat:{n}", Limits(requests_per_minute=1)),))

    asyncio.run(crowd())
    pair.refused(key)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == size


def test_a_lock_that_another_holds_is_waited_for_without_blocking(pair: Pair) -> None:
    async def main() -> Grant | Refusal:
        assert pair.other.table.try_lock()
        waiting = asyncio.create_task(pair.one.admit((ADDRESS,)))
        await asyncio.sleep(0)
        assert not waiting.done()
        pair.other.table.unlock()
        return await waiting

    assert isinstance(asyncio.run(main()), Grant)


def test_a_lock_that_is_never_given_back_is_an_overload(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_memory, "PATIENCE_SECONDS", 0.01)
    assert pair.other.table.try_lock()
    with pytest.raises(Overloaded):
        pair.admit(ADDRESS)
    pair.other.table.unlock()


def test_what_cannot_be_settled_at_once_is_settled_soon(pair: Pair) -> None:
    key = Claim("key:k", Limits(concurrent=1), key=True)
    grant = pair.granted(key)

    async def main() -> None:
        assert pair.other.table.try_lock()
        pair.one.settle(grant, None, 0.0)
        pair.other.table.unlock()
        deadline = time.monotonic() + 5
        while isinstance(await pair.other.admit((key,)), Refusal):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.001)

    asyncio.run(main())


def test_news_are_heard_by_all_who_live(pair: Pair, tmp_path: Path) -> None:
    news = pair.one.table.announce()
    assert pair.other.table.news == news
    assert not pair.one.table.all_have_heard(news)
    pair.other.table.has_heard(news)
    assert pair.one.table.all_have_heard(news)
    later = pair.one.table.announce()
    assert later > news
    pair.other.__exit__()
    assert pair.one.table.all_have_heard(later)
    pair.other = SharedMemoryLimiter(tmp_path, pair.clock)


STEPS = st.lists(
    st.tuples(st.floats(0, 40, allow_nan=False), st.booleans()), min_size=1, max_size=60
)


@settings(max_examples=20, deadline=None)
@given(limit=st.integers(1, 6), steps=STEPS)
def test_no_sixty_seconds_see_more_than_the_limit(
    limit: int, steps: list[tuple[float, bool]]
) -> None:
    """And nobody waits for longer than a tick more than those sixty seconds."""
    claim = Claim("chat:x", Limits(requests_per_minute=limit))
    with TemporaryDirectory() as folder:
        pair = Pair(Path(folder))
        let_in: list[float] = []
        for pause, other in steps:
            pair.clock.now += pause
            now = pair.clock.now
            if isinstance(pair.admit(claim, other=other), Grant):
                assert sum(now - then < 60 for then in let_in) < limit
                let_in.append(now)
            else:
                assert sum(now - then < 60 + TICK_SECONDS for then in let_in) >= limit
        pair.close()


@settings(max_examples=20, deadline=None)
@given(limit=st.integers(1, 4), steps=st.lists(st.integers(0, 3), max_size=60))
def test_never_do_more_calls_run_than_may(limit: int, steps: list[int]) -> None:
    """0, 1: a call comes to one instance or the other; 2, 3: the oldest, the newest ends."""
    claim = Claim("key:x", Limits(concurrent=limit), key=True)
    with TemporaryDirectory() as folder:
        pair = Pair(Path(folder))
        running: list[tuple[Grant, bool]] = []
        for step in steps:
            if step < 2:
                answer = pair.admit(claim, other=step == 1)
                assert isinstance(answer, Grant) == (len(running) < limit)
                if isinstance(answer, Grant):
                    running.append((answer, step == 1))
            elif running:
                grant, other = running.pop(0 if step == 2 else -1)
                (pair.other if other else pair.one).settle(grant, None, 0.0)
        pair.close()
