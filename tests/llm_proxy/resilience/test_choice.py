"""Properties of the choice and of a call's course, with a clock and a die of the test's own."""

from collections import Counter
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel.errors import Overloaded, TrivetError, UpstreamError, UpstreamTimeout
from services.llm_proxy.catalog import parse_catalog
from services.llm_proxy.providers.base import RetryConfig
from services.llm_proxy.providers.fault import KeyRefused, QuotaUsedUp, Throttled, VendorOverloaded
from services.llm_proxy.resilience.course import Course, backoff_seconds
from services.llm_proxy.resilience.fleet import MAX_KEPT, Fleet, Turns
from services.llm_proxy.resilience.lane import Lane
from services.llm_proxy.resilience.verdict import Verdict, verdict_of
from services.llm_proxy.target import Target
from services.llm_proxy.upstream import Saturated

WEIGHTS = st.lists(st.integers(1, 20), min_size=1, max_size=6)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def target_of(deployments: list[dict[str, Any]], **more: Any) -> Target:
    """The name `n` with these deployments at provider `p`; `more` goes into the provider."""
    provider = {"adapter": "openai_compatible", "base_url": "http://x", **more}
    entries = [{"model": f"p/m{number}", **entry} for number, entry in enumerate(deployments)]
    text = yaml.safe_dump({"providers": {"p": provider}, "deployments": {"n": entries}})
    return parse_catalog(text, {}, "t").resolve("n")


def picked(fleet: Fleet, target: Target) -> Lane:
    lane = fleet.pick(target.tiers[0])
    assert lane is not None
    return lane


@settings(max_examples=60, deadline=None)
@given(weights=WEIGHTS, rounds=st.integers(1, 3))
def test_each_weight_gets_its_share_exactly(weights: list[int], rounds: int) -> None:
    fleet = Fleet()
    target = target_of([{"weight": weight} for weight in weights])
    counts: Counter[str] = Counter()
    for _ in range(sum(weights) * rounds):
        lane = picked(fleet, target)
        counts[lane.target.model] += 1
        lane.end(fleet.begin(lane))
    assert counts == {f"m{n}": weight * rounds for n, weight in enumerate(weights)}


@settings(max_examples=60, deadline=None)
@given(shares=st.dictionaries(st.integers(1, 9), st.integers(1, 9), min_size=1))
def test_turns_are_never_far_from_their_share(shares: dict[int, int]) -> None:
    turns, taken, total = Turns(), Counter[int](), sum(shares.values())
    for number in range(1, 3 * total + 1):
        taken[turns.take(shares)] += 1
        for name, share in shares.items():
            assert abs(taken[name] - number * share / total) < len(shares)


@settings(max_examples=60, deadline=None)
@given(count=st.integers(2, 5), steps=st.lists(st.integers(0, 9), max_size=40))
def test_among_equals_the_least_busy_is_taken(count: int, steps: list[int]) -> None:
    fleet = Fleet()
    target = target_of([{}] * count)
    running: list[tuple[Lane, bool]] = []
    for step in steps:
        if step < 4 and running:
            lane, probe = running.pop(step % len(running))
            lane.end(probe)
            continue
        least = min(lane.state.busy for lane in fleet.lanes(target.tiers[0]))
        lane = picked(fleet, target)
        assert lane.state.busy == least
        running.append((lane, fleet.begin(lane)))


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (KeyRefused(401, provider="p"), Verdict.KEY),
        (QuotaUsedUp(provider="p"), Verdict.SPENT),
        (Throttled(None, provider="p"), Verdict.THROTTLED),
        (VendorOverloaded(1, provider="p"), Verdict.FAILED),
        (Saturated("full"), Verdict.FULL),
        (Overloaded("x"), Verdict.FAILED),
        (UpstreamError("x"), Verdict.FAILED),
        (UpstreamTimeout("x"), Verdict.FAILED),
    ],
)
def test_errors_have_their_class(error: TrivetError, verdict: Verdict) -> None:
    assert verdict_of(error) is verdict


def test_a_cooldown_doubles_with_each_probe_that_fails_up_to_a_bound() -> None:
    clock = Clock()
    fleet = Fleet(clock=clock)
    cooldown = {"failures": 1, "seconds": 10, "max_seconds": 35}
    target = target_of([{}], cooldown=cooldown)
    lane = next(fleet.lanes(target.tiers[0]))
    lengths = []
    for _ in range(4):
        probe = fleet.begin(lane)
        lane.failed(UpstreamError("x"), Verdict.FAILED, clock.now)
        lane.end(probe)
        lengths.append(lane.state.at - clock.now)
        assert fleet.pick(target.tiers[0]) is None
        clock.now = lane.state.at
    assert lengths == [10, 20, 35, 35]
    assert picked(fleet, target) is lane
    lane.succeeded()
    assert (lane.state.failures, lane.state.trips, lane.state.at) == (0, 0, 0.0)


def test_failures_of_calls_that_ran_already_do_not_prolong_a_cooldown() -> None:
    clock = Clock()
    fleet = Fleet(clock=clock)
    target = target_of([{}], cooldown={"failures": 1, "seconds": 10})
    lane = next(fleet.lanes(target.tiers[0]))
    for _ in range(5):
        lane.failed(UpstreamError("x"), Verdict.FAILED, clock.now)
    assert lane.state.at == clock.now + 10
    assert lane.state.cooldowns == 1


def test_our_own_bound_on_connections_is_no_fault_of_the_deployment() -> None:
    fleet = Fleet()
    target = target_of([{}], cooldown={"failures": 1})
    lane = next(fleet.lanes(target.tiers[0]))
    lane.failed(Saturated("full"), Verdict.FULL, fleet.clock())
    assert (lane.state.failures, lane.state.reachable) == (0, None)
    course = Course(fleet, target, fleet.clock(), lambda: 0.5)
    assert course.after(lane, Saturated("full"), Verdict.FULL) is None  # nobody else is there


@settings(max_examples=60, deadline=None)
@given(tries=st.integers(1, 60), die=st.floats(0, 1, exclude_max=True))
def test_a_backoff_is_anything_from_nothing_to_twice_as_much_each_time(
    tries: int, die: float
) -> None:
    config = RetryConfig(first_delay_seconds=0.5, max_delay_seconds=8)
    wait = backoff_seconds(config, tries, lambda: die)
    assert wait == die * min(0.5 * 2 ** (tries - 1), 8)


def failing(course: Course, lane: Lane, error: TrivetError, clock: Clock) -> Lane | None:
    lane.failed(error, verdict_of(error), clock.now)
    return course.after(lane, error, verdict_of(error))


def test_waits_never_go_beyond_the_callers_time() -> None:
    clock = Clock()
    fleet = Fleet(clock=clock)
    retry = {"attempts": 9, "first_delay_seconds": 4, "max_delay_seconds": 100}
    target = target_of([{}], retry=retry, timeouts={"total_seconds": 10}, cooldown={"failures": 99})
    course = Course(fleet, target, clock.now, lambda: 0.999)
    lane: Lane | None = course.first()
    waits = []
    while lane is not None:
        lane = failing(course, lane, UpstreamError("x"), clock)
        waits.append(course.wait_seconds)
        clock.now += course.wait_seconds
    assert waits == [pytest.approx(3.996), 0.0]  # the next one would be twice as long
    assert course.remaining_seconds == pytest.approx(10 - 3.996)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), attempts=st.integers(1, 5), tiers=st.integers(1, 4), keys=st.integers(1, 3))
def test_whatever_fails_a_call_ends_within_its_attempts(
    data: st.DataObject, attempts: int, tiers: int, keys: int
) -> None:
    clock = Clock()
    fleet = Fleet(clock=clock)
    provider = {
        "adapter": "openai_compatible",
        "base_url": "http://x",
        "api_keys": [f"k{number}" for number in range(keys)],
        "retry": {"attempts": attempts},
        "cooldown": {"failures": data.draw(st.integers(1, 4))},
    }
    names = [f"p/m{number}" for number in range(tiers)]
    fallbacks = {"fallbacks": {names[0]: names[1:]}} if tiers > 1 else {}
    text = yaml.safe_dump({"providers": {"p": {**provider, "any_model": True}}, **fallbacks})
    target = parse_catalog(text, {}, "t").resolve(names[0])
    course = Course(fleet, target, clock.now, lambda: 0.5)
    lane: Lane | None = course.first()
    made = 0
    errors = [
        KeyRefused(401, provider="p"),
        KeyRefused(403, provider="p"),
        QuotaUsedUp(provider="p"),
        Throttled(2.0, provider="p"),
        Throttled(None, provider="p"),
        UpstreamError("x"),
    ]
    while lane is not None:
        made += 1
        probe = fleet.begin(lane)
        error = data.draw(st.sampled_from(errors))
        following = failing(course, lane, error, clock)
        lane.end(probe)
        lane, clock.now = following, clock.now + course.wait_seconds
    assert made <= tiers * (attempts + keys)
    assert course.error is not None
    assert all(state.busy == 0 for state in fleet.states.values())


def test_names_that_callers_make_up_do_not_fill_the_memory() -> None:
    fleet = Fleet()
    text = yaml.safe_dump(
        {"providers": {"p": {"adapter": "doubao", "base_url": "http://x", "any_model": True}}}
    )
    catalog = parse_catalog(text, {}, "t")
    for number in range(MAX_KEPT + 10):
        lane = fleet.only(catalog.resolve(f"p/m{number}"))
        assert lane is not None
        lane.failed(QuotaUsedUp(provider="p"), Verdict.SPENT, fleet.clock())
    assert len(fleet.states) <= MAX_KEPT
