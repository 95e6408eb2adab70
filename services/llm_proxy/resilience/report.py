"""How the deployments stand, for people: no key, only its number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.llm_proxy.resilience.fleet import Fleet
from services.llm_proxy.resilience.lane import Lane
from services.llm_proxy.schemas import DeploymentItem
from services.llm_proxy.target import Target


@dataclass(frozen=True, slots=True)
class Health:
    """How the latest call went; None before the first."""

    reachable: bool | None = None
    last_error: str | None = None


def health_of(fleet: Fleet, provider: str) -> Health:
    """How the latest call to a provider went, whatever its model and key."""
    states = [state for (name, *_), state in fleet.states.items() if name == provider]
    known = [state for state in states if state.reachable is not None]
    if not known:
        return Health()
    latest = max(known, key=lambda state: state.used)
    return Health(latest.reachable, latest.last_error)


def deployments(fleet: Fleet, targets: Iterable[Target]) -> list[DeploymentItem]:
    """One item for each deployment and key."""
    now, wall = fleet.clock(), datetime.now(UTC)
    seen, items = set(), []
    for target in targets:
        for number, lane in enumerate(fleet.bound(target), start=1):
            if lane.state not in seen:
                seen.add(lane.state)
                items.append(_described(lane, number, now, wall))
    return items


def _described(lane: Lane, number: int, now: float, wall: datetime) -> DeploymentItem:
    state = lane.state
    seconds = lane.ready_at - now
    return DeploymentItem(
        model=lane.target.model,
        key=number,
        usable=lane.usable(now),
        cooling_down_until=wall + timedelta(seconds=seconds) if seconds > 0 else None,
        running=state.busy,
        failures=state.failures,
        reachable=state.reachable,
        last_error=state.last_error,
    )
