"""What is under way in all instances together, as this one saw it last; for /metrics, too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine, func, select

from services.kernel.database import read
from services.llm_proxy.workflows.tables import TASKS

UNDER_WAY = ("pending", "running", "waiting_for_person")


@dataclass(frozen=True, slots=True)
class Group:
    """The tasks of one workflow in one state: how many, and when the oldest was begun."""

    tasks: int
    oldest_created_at: str

    def oldest_seconds(self, now: datetime) -> float:
        """The age of the oldest."""
        return max(0.0, (now - datetime.fromisoformat(self.oldest_created_at)).total_seconds())


@dataclass(frozen=True, slots=True)
class Backlog:
    """Tasks under way. `first_lease_until`: when the first of the leases runs out (seconds since
    the epoch); None where nothing runs."""

    groups: Mapping[tuple[str, str], Group] = field(default_factory=dict)  # by workflow and state
    first_lease_until: float | None = None


def read_backlog(engine: Engine) -> Backlog:
    """Blocks: call it in a thread. Counts from an index alone, however long the queue is: a row
    holds a whole poem before its time."""
    c = TASKS.c
    grouped = select(c.workflow, c.status, func.count(), func.min(c.number))
    counted = grouped.where(c.status.in_(UNDER_WAY)).group_by(c.workflow, c.status)
    leases = select(func.min(c.lease_until)).where(c.status == "running")
    with read(engine) as connection:
        rows = connection.execute(counted).all()
        oldest = select(c.number, c.created_at).where(c.number.in_([row[3] for row in rows]))
        begun = {row.number: row.created_at for row in connection.execute(oldest)}
        first = connection.execute(leases).scalar()
    return Backlog({(row[0], row[1]): Group(row[2], begun[row[3]]) for row in rows}, first)


class BacklogMeters(Collector):
    """Gauges of the backlog. Every instance tells of all tasks: take the highest, not the sum."""

    def __init__(
        self, backlog: Callable[[], Backlog], workflows: Callable[[], Iterable[str]]
    ) -> None:
        self._backlog = backlog
        self._workflows = workflows

    def collect(self) -> Iterator[Metric]:
        """Workflows without tasks are told, too: a gauge that vanishes looks like a fault."""
        labels = ("workflow", "status")
        tasks = GaugeMetricFamily(
            "trivet_workflow_tasks", "Tasks under way, in all instances.", labels=labels
        )
        ages = GaugeMetricFamily(
            "trivet_workflow_oldest_task_seconds", "Age of the oldest of them.", labels=labels
        )
        groups, now = self._backlog().groups, datetime.now(UTC)
        names = {*self._workflows(), *(workflow for workflow, _ in groups)}
        for key in ((name, status) for name in sorted(names) for status in UNDER_WAY):
            group = groups.get(key)
            tasks.add_metric(key, group.tasks if group else 0)
            ages.add_metric(key, group.oldest_seconds(now) if group else 0)
        yield from (tasks, ages)
