"""Retries, fallbacks and cooldowns for Prometheus, read from the lanes when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.llm_proxy.resilience.fleet import Fleet

_LABELS = ("provider", "model")
_HELP = {
    "retries": "Attempts after a failed one, at the same name.",
    "fallbacks": "Calls that went on to a stand-in.",
    "cooldowns": "Times that a deployment or a key was put aside.",
}


class FleetMeters(Collector):
    """Numbers by provider and model; models that are not listed count as `other`."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def collect(self) -> Iterator[Metric]:
        """All numbers in Prometheus' form."""
        now = self._fleet.clock()
        sums: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in (*_HELP, "aside")}
        for (provider, *_), state in list(self._fleet.states.items()):
            labels = (provider, state.label)
            for name in _HELP:
                sums[name][labels] += getattr(state, name)
            sums["aside"][labels] += not (state.usable(now) and state.key.usable(now))
        for name, text in _HELP.items():
            counter = CounterMetricFamily(f"trivet_llm_{name}", text, labels=_LABELS)
            for labels, number in sums[name].items():
                counter.add_metric(labels, number)
            yield counter
        gauge = GaugeMetricFamily(
            "trivet_llm_cooling", "Deployments, by key, that are left alone now.", labels=_LABELS
        )
        for labels, number in sums["aside"].items():
            gauge.add_metric(labels, number)
        yield gauge
