"""What is under way, as operators see it; and an idle engine, which asks the database nothing."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine as DatabaseEngine

from services.llm_proxy.workflows import engine as engine_module
from services.llm_proxy.workflows.backlog import read_backlog
from services.llm_proxy.workflows.board import Board
from services.llm_proxy.workflows.changes import Changes
from services.llm_proxy.workflows.engine import Engine
from services.llm_proxy.workflows.leases import Lease, Leases
from services.llm_proxy.workflows.store import TaskStore, open_workflow_engine
from tests.llm_proxy.workflows.conftest import House, Start, give_database
from tests.llm_proxy.workflows.stands import POEM
from tests.llm_proxy.workflows.test_store import LIMITS, WORKFLOW, begin
from tests.support.wait import until

STATES = ("pending", "running", "waiting_for_person")


def gauges(house: House, name: str, instance: int = 0) -> dict[tuple[str, str], float]:
    """A gauge's values by workflow and state."""
    text = house.clients[instance].get("/metrics").text
    return {
        (sample.labels["workflow"], sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


@pytest.mark.process
def test_tasks_are_counted_by_workflow_and_state_in_every_instance(start: Start) -> None:
    with start(instances=2) as house:

        def counted(instance: int) -> list[float]:
            found = gauges(house, "trivet_workflow_tasks", instance)
            return [found["translation", status] for status in STATES]

        assert counted(0) == [0, 0, 0]
        house.model.hold()
        for _ in range(3):
            house.translate()
        body = {"poem_id": POEM["id"], "target_lang": "en"}
        house.call("POST", "/api/v1/manual/sessions", body)
        until(lambda: counted(0) == [1, 2, 1], 10, "two run, one waits for its turn, one for us")
        until(lambda: counted(1) == [1, 2, 1], 10, "the other instance tells the same")
        ages = gauges(house, "trivet_workflow_oldest_task_seconds")
        assert all(ages["translation", status] > 0 for status in STATES)
        assert ages["faq", "pending"] == 0
        house.model.release()
        until(lambda: counted(0) == [0, 0, 1], 10, "what models do is done")


@pytest.fixture
def database(tmp_path: Path, empty_database: Path) -> Iterator[DatabaseEngine]:
    give_database(tmp_path, empty_database)
    path = tmp_path / "data" / "llm_proxy.db"
    made = open_workflow_engine(path, path.with_suffix(".lock"))
    yield made
    made.dispose()


def test_a_change_is_noticed_and_a_reading_is_none(database: DatabaseEngine) -> None:
    changes, store = Changes(database), TaskStore(database)
    first = changes.version()
    task = begin(store)
    second = changes.version()
    store.get(task.id)
    assert first != second == changes.version()
    changes.close()


def test_the_backlog_knows_when_the_first_lease_runs_out(database: DatabaseEngine) -> None:
    store, leases = TaskStore(database), Leases(database)
    assert read_backlog(database).first_lease_until is None
    for _ in range(3):
        begin(store)
    leases.claim("one", LIMITS, now=100.0, seconds=30)
    leases.claim("two", LIMITS, now=110.0, seconds=30)
    found = read_backlog(database)
    assert found.first_lease_until == 130.0
    assert {key: group.tasks for key, group in found.groups.items()} == {
        ("translation", "running"): 2,
        ("translation", "pending"): 1,
    }


class CountedLeases(Leases):
    """Counts the looks for tasks."""

    looks = 0

    def claim(
        self, holder: str, limits: Mapping[str, int], now: float, seconds: float
    ) -> Lease | None:
        self.looks += 1
        return super().claim(holder, limits, now, seconds)


class CountedChanges(Changes):
    """Counts how often it is asked whether there is anything new."""

    asked = 0

    def version(self) -> int:
        self.asked += 1
        return super().version()


def test_an_idle_engine_looks_for_tasks_only_when_something_has_changed(
    database: DatabaseEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "POLL_SECONDS", 0.005)
    leases, changes, store = CountedLeases(database), CountedChanges(database), TaskStore(database)
    library = cast("Any", SimpleNamespace(workflows={"translation": WORKFLOW}))
    runner = cast("Any", SimpleNamespace(run=lambda _lease: asyncio.sleep(3600)))

    async def scene() -> None:
        engine = Engine(
            leases,
            changes,
            runner,
            library,
            Board(store, changes),
            lease_seconds=60,
            on_ended=lambda _task: None,
        )
        async with engine.working():
            await eventually(lambda: changes.asked > 20)
            assert leases.looks == 1
            task = await asyncio.to_thread(begin, store)  # as another instance would
            await eventually(lambda: store.get(task.id).status == "running")
        assert store.get(task.id).status == "pending"  # given back at the end

    asyncio.run(scene())
    changes.close()


async def eventually(condition: Any) -> None:
    await asyncio.to_thread(until, condition)
