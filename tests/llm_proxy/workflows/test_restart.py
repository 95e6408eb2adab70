"""kill -9 at any moment: two real instances, 200 tasks, ten deaths; every task comes to its end."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import orjson
import pytest
import yaml

from services.kernel.sse import SseEvent
from tests.llm_proxy.workflows.conftest import (
    DEFINITIONS,
    House,
    give_database,
    models_file,
    variables,
)
from tests.llm_proxy.workflows.stands import POEM, Kb, Model
from tests.support.ports import free_pair
from tests.support.server import running
from tests.support.wait import until

pytestmark = pytest.mark.process

TASKS, DEATHS, CONCURRENCY = 200, 10, 4
ROOT = Path(__file__).parents[3]


@dataclass
class Instances:
    """Two processes of llm_proxy."""

    house: House
    environ: dict[str, str]
    processes: list[subprocess.Popen[bytes]]

    def start(self, number: int) -> None:
        environ = {**os.environ, **self.environ, "TRIVET_INSTANCE": str(number)}
        with (self.house.folder / f"log-{number}").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "services.llm_proxy"],
                cwd=ROOT,
                env=environ,
                stdout=log,
                stderr=log,
            )
        self.processes[number : number + 1] = [process]

    def kill(self, number: int) -> None:
        self.processes[number].send_signal(signal.SIGKILL)
        self.processes[number].wait(10)

    def is_up(self, number: int) -> bool:
        try:
            return self.house.clients[number].get("/livez").status_code == 200
        except httpx.HTTPError:
            return False


@contextmanager
def two_instances(folder: Path, empty_database: Path) -> Iterator[Instances]:
    kb, model = Kb(), Model()
    port, other = free_pair()
    urls = [f"http://127.0.0.1:{port}", f"http://127.0.0.1:{other}"]
    give_database(folder, empty_database)
    with running(kb.app()) as kb_url, running(model.app()) as model_url:
        (folder / "models.yaml").write_text(yaml.safe_dump(models_file(model_url)))
        house = House(urls, kb, model, folder)
        house.clients = [httpx.Client(base_url=url, timeout=10, trust_env=False) for url in urls]
        environ = variables(
            folder,
            urls,
            kb_url,
            LLM_PROXY_PORT=str(port),
            LLM_PROXY_WORKFLOW_LEASE_SECONDS="1.5",
            LLM_PROXY_WORKFLOWS_DIR=str(quick_definitions(folder)),
        )
        instances = Instances(house, environ, [])
        try:
            for number in range(2):
                instances.start(number)
                until(partial(instances.is_up, number), 60, "an instance is up")
            yield instances
        finally:
            for process in instances.processes:
                process.kill()
                process.wait(10)
            for client in house.clients:
                client.close()


def quick_definitions(folder: Path) -> Path:
    target = folder / "workflows"
    (target / "prompts" / "translation").mkdir(parents=True)
    for path in (DEFINITIONS / "prompts" / "translation").iterdir():
        (target / "prompts" / "translation" / path.name).write_text(path.read_text())
    definition = yaml.safe_load((DEFINITIONS / "translation.yaml").read_text())
    definition["concurrency"] = CONCURRENCY
    (target / "translation.yaml").write_text(yaml.safe_dump(definition))
    return target


def note_down(seen: list[SseEvent], events: Iterator[SseEvent]) -> None:
    for event in events:
        seen.append(event)  # one by one: the test looks while it goes on


def query(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "data" / "llm_proxy.db", timeout=10)) as connection:
        return connection.execute(sql).fetchall()


def have_ended(folder: Path, count: int) -> bool:
    sql = "SELECT count(*) FROM workflow_tasks WHERE ended_at IS NOT NULL"
    return int(str(query(folder, sql)[0][0])) >= count


@pytest.mark.timeout(600)
def test_both_instances_die_ten_times_and_every_task_ends(
    tmp_path: Path, empty_database: Path
) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    with two_instances(tmp_path, empty_database) as instances:
        house = instances.house
        house.model.seconds = 0.02
        tasks = [house.translate() for _ in range(TASKS)]
        deaths = sorted(chance.sample(range(1, TASKS - 10), DEATHS))
        for number, when in enumerate(deaths):
            until(partial(have_ended, tmp_path, when), 120, f"{when} tasks (seed {seed})")
            instances.kill(number % 2)
            instances.start(number % 2)
        until(partial(have_ended, tmp_path, TASKS), 240, f"all tasks (seed {seed})")

    states = Counter(row[0] for row in query(tmp_path, "SELECT status FROM workflow_tasks"))
    assert states == {"completed": TASKS}
    kept = Counter(item["task_id"] for item in house.kb.kept["translations"])
    assert set(kept) == set(tasks) and set(kept.values()) == {1}

    done = Counter[tuple[object, str]]()
    sql = "SELECT task_id, data FROM workflow_events WHERE event = 'step_change'"
    for task_id, data in query(tmp_path, sql):
        message = orjson.loads(str(data))["message"]
        if message.endswith(" is done"):
            done[task_id, message] += 1
    assert len(done) == 3 * TASKS and set(done.values()) == {1}  # each result is recorded once

    attempts = int(str(query(tmp_path, "SELECT sum(attempts) FROM workflow_steps")[0][0]))
    assert len(house.model.calls) <= attempts
    assert attempts - 3 * TASKS <= DEATHS * CONCURRENCY  # only what a death has lost is done again


def test_what_a_stopped_instance_runs_goes_on_at_once_in_the_other(
    tmp_path: Path, empty_database: Path
) -> None:
    with two_instances(tmp_path, empty_database) as instances:
        house = instances.house
        house.model.hold()
        # More than run at once: who stops finds tasks that it could begin, and must not.
        tasks = [house.translate() for _ in range(3 * CONCURRENCY)]
        until(lambda: house.model.running == CONCURRENCY, 20, "some run")
        seen: list[SseEvent] = []
        path = f"/api/v1/workflow/tasks/{tasks[0]}/stream"
        with ThreadPoolExecutor() as pool:
            watching = pool.submit(note_down, seen, house.watch(path, 0))
            until(lambda: seen, 10, "somebody watches")
            instances.processes[0].send_signal(signal.SIGTERM)
            house.model.release()
            watching.result(30)
        last = [event.id for event in seen if event.id][-1] or ""
        rest = house.events(tasks[0], 1, after=last)
        ids = {int(event.id) for event in [*seen, *rest] if event.id}
        assert ids == set(range(1, len(ids) + 1))  # the watcher has lost nothing
        assert rest[-1].event == "completed"
        until(partial(have_ended, tmp_path, len(tasks)), 60, "the other one has done them")
        assert POEM["id"] == house.kb.kept["translations"][0]["poem_id"]
        found = query(tmp_path, "SELECT DISTINCT status FROM workflow_tasks")
        assert found == [("completed",)]
