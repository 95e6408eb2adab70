"""The intake's metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.analytics.writer import EventWriter


class IntakeMetrics:
    """Events by what became of them, and what waits for the database."""

    def __init__(self, registry: CollectorRegistry, writer: EventWriter) -> None:
        self._events = Counter(
            "trivet_analytics_events",
            "Events by outcome: accepted, duplicate or rejected.",
            ("outcome",),
            registry=registry,
        )
        waiting = Gauge(
            "trivet_analytics_waiting_events",
            "Events in memory that wait for the database.",
            registry=registry,
        )
        waiting.set_function(lambda: writer.waiting_events)
        lag = Gauge(
            "trivet_analytics_writer_lag_seconds",
            "Age of the oldest batch that waits for its commit.",
            registry=registry,
        )
        lag.set_function(writer.lag_seconds)

    def count(self, accepted: int, duplicates: int, rejected: int) -> None:
        for outcome, number in (
            ("accepted", accepted),
            ("duplicate", duplicates),
            ("rejected", rejected),
        ):
            self._events.labels(outcome).inc(number)
