"""All lanes: their states across reloads, and the choice among those that may be used."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping

from services.llm_proxy.providers.base import Provider
from services.llm_proxy.resilience.lane import Lane, LaneState, Standing
from services.llm_proxy.target import UNLISTED, Target, Tier, key_mark

MAX_KEPT = 4096  # states and turns; above it those that tell nothing are forgotten
Identity = tuple[str, str, str, str]  # provider, address, model, mark of the key


class Turns:
    """Shares out turns by weight, as evenly as can be: nginx's smooth weighted round-robin.

    https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1
    """

    __slots__ = ("_scores",)

    def __init__(self) -> None:
        self._scores: dict[int, int] = {}

    def take(self, shares: Mapping[int, int]) -> int:
        """Whose turn it is among those with a share."""
        scores = self._scores
        for name, share in shares.items():
            scores[name] = scores.get(name, 0) + share
        best = max(shares, key=lambda name: (scores[name], name))
        scores[best] -= sum(shares.values())
        return best


class Fleet:
    """Use on one event loop. `clock` gives seconds that never run backwards."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.states: dict[Identity, LaneState] = {}
        self._keys: dict[tuple[str, str], Standing] = {}
        self._turns: dict[str, Turns] = {}
        self._used = 0

    def only(self, target: Target) -> Lane | None:
        """The one lane of a target for which nothing else may answer; None: there is a choice.

        It is used even while it cools down: to refuse the call would help nobody.
        """
        if target.tiers:
            return None
        lanes = target.lanes or self._bind(target)
        return lanes[0] if len(lanes) == 1 else None

    def begin(self, lane: Lane) -> bool:
        """An attempt on `lane` starts; see `Lane.begin`."""
        self._used += 1
        lane.state.used = self._used
        return lane.begin()

    def pick(self, tier: Tier, avoid: Collection[LaneState] = ()) -> Lane | None:
        """A usable lane: by weight, and among deployments of one weight the least busy."""
        now = self.clock()
        free: dict[Target, list[Lane]] = {}
        for lane in self.lanes(tier):
            if lane.usable(now) and lane.state not in avoid:
                free.setdefault(lane.target, []).append(lane)
        if not free:
            return None
        weights: dict[int, int] = {}
        for target in free:
            weights[target.weight] = weights.get(target.weight, 0) + target.weight
        weight = next(iter(weights)) if len(weights) == 1 else self._turn(tier).take(weights)
        equals = [target for target in free if target.weight == weight]
        chosen = equals[0] if len(equals) == 1 else min(equals, key=_business)
        return min(free[chosen], key=lambda lane: (lane.state.busy, lane.state.used))

    def lanes(self, tier: Tier) -> Iterator[Lane]:
        """All lanes of a tier, usable or not."""
        for target in tier.targets:
            yield from self.bound(target)

    def bound(self, target: Target) -> list[Lane]:
        """All lanes of one target."""
        return target.lanes or self._bind(target)

    def _bind(self, target: Target) -> list[Lane]:
        providers = target.keyed or (target.provider,)
        target.lanes.extend(
            Lane(target, provider, self._state(target, provider)) for provider in providers
        )
        return target.lanes

    def _state(self, target: Target, provider: Provider) -> LaneState:
        name, address = provider.name, provider.config.base_url
        mark = key_mark(provider.config.api_key)
        identity = (name, address, target.model, mark)
        state = self.states.get(identity)
        if state is None:
            self._forget()
            key = self._keys.setdefault((name, mark), Standing())
            state = self.states[identity] = LaneState(key)
        state.label = target.label
        return state

    def _forget(self) -> None:
        """Ever new names of callers, and keys of reloads, must not fill the memory."""
        if len(self.states) < MAX_KEPT:
            return
        kept = {n: s for n, s in self.states.items() if s.busy or s.label != UNLISTED}
        if len(kept) > MAX_KEPT // 2:
            kept = {n: s for n, s in kept.items() if s.busy}
        self.states = kept
        self._keys.clear()
        self._turns.clear()

    def _turn(self, tier: Tier) -> Turns:
        turns = self._turns.get(tier.name)
        if turns is None:
            turns = self._turns[tier.name] = Turns()
        return turns


def _business(target: Target) -> tuple[int, int]:
    """How much runs at a deployment, then how long ago it was used."""
    states = [lane.state for lane in target.lanes]
    return sum(state.busy for state in states), max(state.used for state in states)
