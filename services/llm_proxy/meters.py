"""Prometheus metrics of chats, and what was last seen of each provider."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.kernel.errors import TrivetError
from services.llm_proxy.catalog import Target
from services.llm_proxy.providers.base import Usage

_FIRST_OUTPUT_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_DURATION_BUCKETS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)
_LABELS = ("provider", "model")


@dataclass(slots=True)
class Health:
    """How the last call to a provider went; None before the first."""

    reachable: bool | None = None
    last_error: str | None = None


class _Children:
    """The metrics of one provider's model: `labels()` costs more than counting."""

    __slots__ = ("cost", "duration", "ends", "first_output", "input", "output")

    def __init__(self, meters: Meters, provider: str, model: str) -> None:
        self.ends: dict[str, Counter] = {}
        self.input = meters.tokens.labels(provider, model, "input")
        self.output = meters.tokens.labels(provider, model, "output")
        self.cost = meters.cost.labels(provider, model)
        self.first_output = meters.first_output.labels(provider, model)
        self.duration = meters.duration.labels(provider, model)


class Meters:
    """Counters by provider and model; models that are not listed count as `other`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.running = Gauge("trivet_llm_running", "Chats that run now.", registry=registry)
        self.chats = Counter(
            "trivet_llm_chats", "Chats by how they ended.", (*_LABELS, "end"), registry=registry
        )
        self.tokens = Counter(
            "trivet_llm_tokens", "Tokens.", (*_LABELS, "direction"), registry=registry
        )
        self.cost = Counter(
            "trivet_llm_cost_usd", "Cost in US dollars.", _LABELS, registry=registry
        )
        self.first_output = Histogram(
            "trivet_llm_first_output_seconds",
            "Time to the first real output.",
            _LABELS,
            buckets=_FIRST_OUTPUT_BUCKETS,
            registry=registry,
        )
        self.duration = Histogram(
            "trivet_llm_duration_seconds",
            "Time to the end of the answer.",
            _LABELS,
            buckets=_DURATION_BUCKETS,
            registry=registry,
        )
        self.health: dict[str, Health] = {}
        self._children: dict[tuple[str, str], _Children] = {}

    def count(
        self, target: Target | None, end: str, usage: Usage | None, cost: float | None
    ) -> None:
        """One chat has ended."""
        children, key = self._of(target), _key(target)
        counter = children.ends.get(end)
        if counter is None:
            counter = children.ends[end] = self.chats.labels(*key, end)
        counter.inc()
        if usage is not None:
            children.input.inc(usage.input_tokens)
            children.output.inc(usage.output_tokens)
        if cost:
            children.cost.inc(cost)

    def observe(self, target: Target | None, seconds: float, first_output: float | None) -> None:
        """How long it took, in seconds."""
        children = self._of(target)
        children.duration.observe(seconds)
        if first_output is not None:
            children.first_output.observe(first_output)

    def note_health(self, target: Target | None, error: TrivetError | None) -> None:
        """A call that reached the provider went well, or failed with `error`."""
        if target is None:
            return
        health = self.health.setdefault(target.provider.name, Health())
        if error is None:
            health.reachable, health.last_error = True, None
        elif error.status >= 500:
            health.reachable, health.last_error = False, error.type

    def _of(self, target: Target | None) -> _Children:
        key = _key(target)
        children = self._children.get(key)
        if children is None:
            children = self._children[key] = _Children(self, *key)
        return children


def _key(target: Target | None) -> tuple[str, str]:
    return (target.provider.name, target.label) if target else ("", "")
