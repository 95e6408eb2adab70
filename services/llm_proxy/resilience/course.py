"""The course of one call over its lanes: which one is next after a failure, and after how long."""

from __future__ import annotations

from collections.abc import Callable

from services.kernel.errors import TrivetError
from services.llm_proxy.providers.base import RetryConfig
from services.llm_proxy.resilience.fleet import Fleet
from services.llm_proxy.resilience.lane import Lane, LaneState
from services.llm_proxy.resilience.verdict import Verdict
from services.llm_proxy.target import Target, Tier

LEAST_SECONDS = 0.05  # with less time than that no attempt is begun


class Course:
    """Attempts in the first tier, then in those that stand in for it, within one deadline.

    `random` gives numbers from 0 up to 1, for the jitter.
    """

    __slots__ = (
        "_barred",
        "_deadline",
        "_fleet",
        "_random",
        "_tier",
        "_tiers",
        "_tried",
        "_tries",
        "error",
        "wait_seconds",
    )

    def __init__(
        self, fleet: Fleet, target: Target, started: float, random: Callable[[], float]
    ) -> None:
        self.wait_seconds = 0.0  # before the lane that was given last may be used
        self.error: TrivetError | None = None  # what the caller is told when nothing is left
        self._fleet = fleet
        self._random = random
        self._tiers = target.tiers or (Tier(target.name, (target,)),)
        self._deadline = started + target.provider.config.timeouts.total_seconds
        self._enter(0)
        self._barred: set[LaneState] = set()  # not to be used again for this call

    @property
    def remaining_seconds(self) -> float:
        """What is left of the caller's time."""
        return max(LEAST_SECONDS, self._deadline - self._fleet.clock())

    @property
    def fallen_from(self) -> str | None:
        """The name that was asked for, once something else stands in for it."""
        return self._tiers[0].name if self._tier else None

    def first(self) -> Lane:
        """The lane to begin with. Where all cool down, the one that is back soonest."""
        for number, tier in enumerate(self._tiers):
            lane = self._fleet.pick(tier)
            if lane is not None:
                self._enter(number)
                return lane
        lanes = [(n, lane) for n, t in enumerate(self._tiers) for lane in self._fleet.lanes(t)]
        number, lane = min(lanes, key=lambda pair: pair[1].ready_at)
        self._enter(number)
        return lane

    def after(self, lane: Lane, error: TrivetError, verdict: Verdict) -> Lane | None:
        """The next lane after a failure, to be used in `wait_seconds`; None: that was all."""
        self.wait_seconds = 0.0
        if verdict is not Verdict.CALLERS or not self._tier or self.error is None:
            self.error = error  # a stand-in's word on the request is not the caller's trouble
        if verdict is Verdict.CALLERS and not self._tier:
            return None
        self._note(lane, verdict)
        following = None if verdict is Verdict.CALLERS else self._again()
        if following is not None:
            lane.state.retries += 1
            return following
        return self._fall_back(lane)

    def _note(self, lane: Lane, verdict: Verdict) -> None:
        if verdict in (Verdict.KEY, Verdict.SPENT, Verdict.FULL):
            self._barred.add(lane.state)
        if verdict is not Verdict.KEY:  # each key is refused once only: no need to count these
            self._tries += 1
        self._tried[lane.state] = lane

    def _again(self) -> Lane | None:
        """Another lane of this tier at once, or one of those that failed after a while."""
        config = self._tiers[self._tier].targets[0].provider.config.retry
        if self._tries >= config.attempts or not self._has_time():
            return None
        fresh = self._fleet.pick(self._tiers[self._tier], self._barred | self._tried.keys())
        if fresh is not None:
            return fresh
        return self._tried_before(config)

    def _tried_before(self, config: RetryConfig) -> Lane | None:
        left = [lane for state, lane in self._tried.items() if state not in self._barred]
        if not left:
            return None
        now = self._fleet.clock()
        lane = min(left, key=lambda lane: lane.ready_at)
        told_seconds = max(0.0, lane.ready_at - now)  # the vendor's wish, or a cooldown
        wait_seconds = told_seconds + backoff_seconds(config, self._tries, self._random)
        if told_seconds > config.max_delay_seconds or not self._has_time(wait_seconds):
            return None
        self.wait_seconds = wait_seconds
        return lane

    def _fall_back(self, lane: Lane) -> Lane | None:
        if not self._has_time():
            return None
        for number in range(self._tier + 1, len(self._tiers)):
            following = self._fleet.pick(self._tiers[number], self._barred)
            if following is not None:
                lane.state.fallbacks += 1
                self._enter(number)
                return following
        return None

    def _has_time(self, wait_seconds: float = 0.0) -> bool:
        return wait_seconds + LEAST_SECONDS < self._deadline - self._fleet.clock()

    def _enter(self, tier: int) -> None:
        self._tier = tier
        self._tries = 0
        self._tried: dict[LaneState, Lane] = {}


def backoff_seconds(config: RetryConfig, tries: int, random: Callable[[], float]) -> float:
    """Exponential backoff with full jitter: anything from 0 to twice as much each time.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    most: float = config.first_delay_seconds * 2 ** min(tries - 1, 30)
    return min(most, config.max_delay_seconds) * random()
