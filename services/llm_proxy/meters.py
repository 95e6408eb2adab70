"""Metrics of chats for Prometheus.

Plain numbers, added up on the event loop and put into Prometheus' form when they are asked for: the
client library's own counters take a lock for each of a dozen additions a call.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from services.llm_proxy.providers.base import Usage
from services.llm_proxy.target import Target

_FIRST_OUTPUT_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_DURATION_SECONDS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)
_LABELS = ("provider", "model")


class _Distribution:
    """How often a number fell into which bucket."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, number: float) -> None:
        self._counts[bisect_left(self._bounds, number)] += 1
        self._sum += number

    def put_into(self, family: HistogramMetricFamily, labels: tuple[str, str]) -> None:
        names = [*map(str, self._bounds), "+Inf"]
        buckets = list(zip(names, accumulate(self._counts), strict=True))
        family.add_metric(labels, buckets, self._sum)


@dataclass(slots=True)
class _Numbers:
    """The numbers of one provider's model."""

    ends: Counter[str] = field(default_factory=Counter)
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    first_output: _Distribution = field(
        default_factory=lambda: _Distribution(_FIRST_OUTPUT_SECONDS)
    )
    duration: _Distribution = field(default_factory=lambda: _Distribution(_DURATION_SECONDS))


class Meters(Collector):
    """Numbers by provider and model; models that are not listed count as `other`.

    Use on one event loop.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.running = 0
        self._numbers: dict[tuple[str, str], _Numbers] = {}
        registry.register(self)

    def count(
        self, target: Target | None, end: str, usage: Usage | None, cost: float | None
    ) -> None:
        """One chat has ended; `cost` is in US dollars."""
        numbers = self._of(target)
        numbers.ends[end] += 1
        if usage is not None:
            numbers.input_tokens += usage.input_tokens
            numbers.output_tokens += usage.output_tokens
        if cost:
            numbers.cost_usd += cost

    def observe(self, target: Target | None, seconds: float, first_output: float | None) -> None:
        """How long it took, in seconds."""
        numbers = self._of(target)
        numbers.duration.add(seconds)
        if first_output is not None:
            numbers.first_output.add(first_output)

    def collect(self) -> Iterator[Metric]:
        """All numbers in Prometheus' form."""
        yield GaugeMetricFamily("trivet_llm_running", "Chats that run now.", self.running)
        chats = CounterMetricFamily(
            "trivet_llm_chats", "Chats by how they ended.", labels=(*_LABELS, "end")
        )
        tokens = CounterMetricFamily("trivet_llm_tokens", "Tokens.", labels=(*_LABELS, "direction"))
        cost = CounterMetricFamily("trivet_llm_cost_usd", "Cost in US dollars.", labels=_LABELS)
        first = HistogramMetricFamily(
            "trivet_llm_first_output_seconds", "Time to the first real output.", labels=_LABELS
        )
        duration = HistogramMetricFamily(
            "trivet_llm_duration_seconds", "Time to the end of the answer.", labels=_LABELS
        )
        for labels, numbers in list(self._numbers.items()):
            for end, count in numbers.ends.items():
                chats.add_metric((*labels, end), count)
            tokens.add_metric((*labels, "input"), numbers.input_tokens)
            tokens.add_metric((*labels, "output"), numbers.output_tokens)
            cost.add_metric(labels, numbers.cost_usd)
            numbers.first_output.put_into(first, labels)
            numbers.duration.put_into(duration, labels)
        yield from (chats, tokens, cost, first, duration)

    def _of(self, target: Target | None) -> _Numbers:
        key = (target.provider.name, target.label) if target else ("", "")
        numbers = self._numbers.get(key)
        if numbers is None:
            numbers = self._numbers[key] = _Numbers()
        return numbers
