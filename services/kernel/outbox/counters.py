"""The outbox's counts for Prometheus: read at scrape time, so that recording costs nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from services.kernel.outbox.disk import DiskOutbox


class OutboxCollector(Collector):
    """Shows one outbox; before and after its life it shows nothing."""

    def __init__(self, outbox: DiskOutbox) -> None:
        self._outbox = outbox

    def collect(self) -> Iterable[Metric]:
        numbers = self._outbox.numbers()
        if numbers is None:
            return
        waiting = "Bytes of events on disk that analytics has not taken yet."
        yield GaugeMetricFamily("trivet_outbox_waiting_bytes", waiting, numbers.waiting_bytes)
        for name, value, text in (
            ("recorded", numbers.recorded, "Events taken for delivery."),
            ("delivered", numbers.delivered, "Events that analytics took."),
            ("rejected", numbers.rejected, "Events that analytics refused for good, kept aside."),
            ("torn", numbers.torn, "Lines skipped because a crash had torn them."),
        ):
            yield CounterMetricFamily(f"trivet_outbox_{name}", text, value)
        dropped = CounterMetricFamily(
            "trivet_outbox_dropped", "Events that were not kept, by reason.", labels=["reason"]
        )
        for reason, count in numbers.dropped.items():
            dropped.add_metric([reason], count)
        yield dropped
