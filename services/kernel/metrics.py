"""Prometheus metrics: one registry an application, made in `build_app` or handed to it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0)


class RequestMetrics:
    """Duration of requests by method, route template and status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._histogram = Histogram(
            "trivet_request_duration_seconds",
            "Time from a request's first byte to the last byte of its answer.",
            ("method", "route", "status"),
            buckets=_BUCKETS,
            registry=registry,
        )
        # `labels()` checks and hashes its words each time; the pairs in use are few.
        self._children: dict[tuple[str, str, int], Histogram] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        key = (method if route else "", route, status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._histogram.labels(key[0], route, str(status))
        child.observe(seconds)

    def text(self) -> bytes:
        return generate_latest(self._registry)
