"""A lane is one deployment with one key: what is known of it, and whether it may be used now."""

from __future__ import annotations

from services.kernel.errors import TrivetError
from services.llm_proxy.providers.base import Provider
from services.llm_proxy.providers.fault import QUOTA_SECONDS, KeyRefused
from services.llm_proxy.resilience.verdict import Verdict, told_wait
from services.llm_proxy.target import Target

KEY_SECONDS = 600.0  # a refused key may be paid for or allowed again: one call finds out
_MAX_DOUBLINGS = 16


class Standing:
    """Whether something may be used. Times are the fleet's clock, in seconds.

    Usable again `at` a time (0: now); if it was put `aside`, only by one call until that is over.
    """

    __slots__ = ("aside", "at", "probing")

    def __init__(self) -> None:
        self.at = 0.0
        self.aside = self.probing = False

    def usable(self, now: float) -> bool:
        return self.at <= now and not (self.aside and self.probing)

    def put_aside(self, until: float) -> None:
        self.aside, self.at = True, until

    def restore(self) -> None:
        self.at, self.aside = 0.0, False


class LaneState(Standing):
    """What is known of a lane. It outlives a reload of models.yaml that leaves the lane alone."""

    __slots__ = (
        "busy",
        "cooldowns",
        "failures",
        "fallbacks",
        "key",
        "label",
        "last_error",
        "reachable",
        "retries",
        "trips",
        "used",
    )

    def __init__(self, key: Standing) -> None:
        super().__init__()
        self.key = key  # shared by all lanes with this key
        self.label = ""  # the model's name for metrics
        self.busy = 0  # attempts that run now
        self.used = 0  # a number that grows with each use
        self.failures = 0  # one after the other, without a success between
        self.trips = 0  # cooldowns one after the other
        self.reachable: bool | None = None  # None before the first attempt
        self.last_error: str | None = None
        self.cooldowns = self.retries = self.fallbacks = 0  # in all


class Lane:
    """One way for a call: a deployment as models.yaml has it now, and the lane's state."""

    __slots__ = ("provider", "state", "target")

    def __init__(self, target: Target, provider: Provider, state: LaneState) -> None:
        self.target = target
        self.provider = provider
        self.state = state

    def usable(self, now: float) -> bool:
        return self.state.usable(now) and self.state.key.usable(now)

    @property
    def ready_at(self) -> float:
        """When it may be used again; 0 for now."""
        return max(self.state.at, self.state.key.at)

    def begin(self) -> bool:
        """An attempt starts. Whether it is the probe that decides on the lane's return."""
        state, key = self.state, self.state.key
        state.busy += 1
        if not (state.aside or key.aside):
            return False
        state.probing = state.aside
        key.probing = key.aside
        return True

    def end(self, probe: bool) -> None:
        """The attempt is over, whatever came of it."""
        self.state.busy -= 1
        if probe:
            self.state.probing = self.state.key.probing = False

    def succeeded(self) -> None:
        """The deployment answered."""
        state = self.state
        state.reachable, state.last_error = True, None
        if state.failures or state.at:
            state.failures = state.trips = 0
            state.restore()
        if state.key.at:
            state.key.restore()

    def failed(self, error: TrivetError, verdict: Verdict, now: float) -> None:
        """The attempt ended with an error."""
        state = self.state
        if verdict is Verdict.CALLERS:
            self.succeeded()
            return
        if error.status >= 500 and verdict is not Verdict.FULL:
            state.reachable, state.last_error = False, error.type
        if verdict is Verdict.KEY:
            everywhere = isinstance(error, KeyRefused) and error.everywhere
            self._put_aside(state.key if everywhere else state, now + KEY_SECONDS)
        elif verdict is Verdict.SPENT:
            self._put_aside(state, now + QUOTA_SECONDS)
        elif verdict in (Verdict.THROTTLED, Verdict.FAILED):
            self._count_failure(error, verdict, now)

    def _put_aside(self, standing: Standing, until: float) -> None:
        self.state.cooldowns += 1
        standing.put_aside(until)

    def _count_failure(self, error: TrivetError, verdict: Verdict, now: float) -> None:
        state, config = self.state, self.provider.config.cooldown
        wait_seconds = told_wait(error)
        if wait_seconds:
            state.at = max(state.at, now + min(wait_seconds, QUOTA_SECONDS))
        if wait_seconds and verdict is Verdict.THROTTLED:
            return  # it works, and has said when it will work for us again
        state.failures += 1
        if state.failures >= config.failures and (state.at <= now or not state.aside):
            seconds = config.seconds * 2 ** min(state.trips, _MAX_DOUBLINGS)
            state.trips += 1
            until = now + min(seconds, config.max_seconds)
            self._put_aside(state, max(state.at, until))
