"""Metrics of chats and of calls for embeddings, for Prometheus.

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
from services.llm_proxy.record import Operation, Record
from services.llm_proxy.target import Target

_FIRST_OUTPUT_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_DURATION_SECONDS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0)
_LABELS = ("provider", "model")
_ENDS: tuple[tuple[Operation, str, str], ...] = (
    ("chat", "chats", "Chats by how they ended."),
    ("embeddings", "embeddings", "Calls for embeddings by how they ended."),
)


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

    ends: Counter[tuple[Operation, str]] = field(default_factory=Counter)
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

    def count(self, record: Record, usage: Usage | None, cost: float | None) -> None:
        """A call has ended; `cost` is in US dollars."""
        numbers = self._of(record.target)
        numbers.ends[record.operation, record.end_reason] += 1
        if usage is not None:
            numbers.input_tokens += usage.input_tokens
            numbers.output_tokens += usage.output_tokens
        if cost:
            numbers.cost_usd += cost

    def observe(self, record: Record, seconds: float) -> None:
        """How long a chat took; embeddings, which take far less, would blur that."""
        if record.operation != "chat":
            return
        numbers = self._of(record.target)
        numbers.duration.add(seconds)
        if record.first_output_seconds is not None:
            numbers.first_output.add(record.first_output_seconds)

    def collect(self) -> Iterator[Metric]:
        """All numbers in Prometheus' form."""
        yield GaugeMetricFamily("trivet_llm_running", "Calls that run now.", self.running)
        ends = {
            operation: CounterMetricFamily(f"trivet_llm_{name}", help_, labels=(*_LABELS, "end"))
            for operation, name, help_ in _ENDS
        }
        tokens = CounterMetricFamily("trivet_llm_tokens", "Tokens.", labels=(*_LABELS, "direction"))
        cost = CounterMetricFamily("trivet_llm_cost_usd", "Cost in US dollars.", labels=_LABELS)
        first = HistogramMetricFamily(
            "trivet_llm_first_output_seconds", "Time to the first real output.", labels=_LABELS
        )
        duration = HistogramMetricFamily(
            "trivet_llm_duration_seconds", "Time to the end of the answer.", labels=_LABELS
        )
        for labels, numbers in list(self._numbers.items()):
            for (operation, end), count in numbers.ends.items():
                ends[operation].add_metric((*labels, end), count)
            tokens.add_metric((*labels, "input"), numbers.input_tokens)
            tokens.add_metric((*labels, "output"), numbers.output_tokens)
            cost.add_metric(labels, numbers.cost_usd)
            numbers.first_output.put_into(first, labels)
            numbers.duration.put_into(duration, labels)
        yield from (*ends.values(), tokens, cost, first, duration)

    def _of(self, target: Target | None) -> _Numbers:
        key = (target.provider.name, target.label) if target else ("", "")
        numbers = self._numbers.get(key)
        if numbers is None:
            numbers = self._numbers[key] = _Numbers()
        return numbers
