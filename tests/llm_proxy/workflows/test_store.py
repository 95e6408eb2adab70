"""The state machine in the database: leases, fences, what is recorded once, what is forgotten."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from services.kernel.errors import Conflict
from services.llm_proxy.workflows.leases import MAX_CLAIMS, Lease, LeaseLost, Leases
from services.llm_proxy.workflows.library import read_folder
from services.llm_proxy.workflows.store import TaskStore, open_workflow_engine
from services.llm_proxy.workflows.tasks import NewTask, StepResult, Task, payload_of
from tests.llm_proxy.workflows.conftest import DEFINITIONS, Start, give_database
from tests.llm_proxy.workflows.stands import POEM, said_to
from tests.support.wait import until

WORKFLOW = read_folder(DEFINITIONS, {}).workflows["translation"]
LIMITS = {"translation": 2}
DONE = StepResult("said", {"translation": "x", "title": None, "notes": None}, 0.5, "m", 1, 2, 0.1)


@pytest.fixture
def engine(tmp_path: Path, empty_database: Path) -> Iterator[Engine]:
    give_database(tmp_path, empty_database)
    path = tmp_path / "data" / "llm_proxy.db"
    made = open_workflow_engine(path, path.with_suffix(".lock"))
    yield made
    made.dispose()


@pytest.fixture
def store(engine: Engine) -> TaskStore:
    return TaskStore(engine)


@pytest.fixture
def leases(engine: Engine) -> Leases:
    return Leases(engine)


def begin(store: TaskStore, mode: str = "hybrid", only_one: str | None = None) -> Task:
    new = NewTask(
        id=uuid4().hex,
        workflow=WORKFLOW,
        mode=mode,
        inputs={"target_lang": "en"},
        request_id="request-1",
        poem=POEM,
        only_one=only_one,
    )
    return store.create(new)[0]


def step(leases: Leases, lease: Lease, position: int, *, waits: bool = False) -> Task:
    prompt = [{"role": "user", "content": "do it"}]
    return leases.begin_step(
        lease, position, prompt, asked_model=None, waits=waits, message="begins"
    )


def test_a_task_is_claimed_by_one_alone(store: TaskStore, leases: Leases) -> None:
    task = begin(store)
    lease = leases.claim("a", LIMITS, 100, 10)
    assert lease == Lease(task.id, "a")
    assert leases.claim("b", LIMITS, 105, 10) is None
    assert store.get(task.id).status == "running"


def test_the_oldest_task_comes_first_and_the_bound_holds(store: TaskStore, leases: Leases) -> None:
    tasks = [begin(store) for _ in range(4)]
    claimed = [leases.claim(str(n), LIMITS, 100, 10) for n in range(4)]
    assert [lease and lease.task_id for lease in claimed] == [tasks[0].id, tasks[1].id, None, None]
    assert leases.claim("x", {"translation": 3}, 100, 10) == Lease(tasks[2].id, "x")


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_writes_nothing_more(
    store: TaskStore, leases: Leases
) -> None:
    task = begin(store)
    old = leases.claim("old", LIMITS, 100, 10)
    assert old is not None
    step(leases, old, 0)
    assert leases.claim("new", LIMITS, 109, 10) is None
    new = leases.claim("new", LIMITS, 111, 10)
    assert new == Lease(task.id, "new")
    assert store.get(task.id).steps[0].status == "pending"
    for write in (
        lambda: leases.finish_step(old, 0, DONE),
        lambda: step(leases, old, 0),
        lambda: leases.note(old, "still here"),
        lambda: leases.complete(old, {}, None),
        lambda: leases.fail(old, {}, "no"),
        lambda: leases.token(old, "initial_translation", 1, "x"),
        lambda: leases.prepared(old, None, "no"),
    ):
        with pytest.raises(LeaseLost):
            write()
    leases.release(old)
    assert store.get(task.id).status == "running"
    assert leases.renew([old, new], 112, 10) == {"new"}
    assert leases.held([old, new]) == {"new"}


def test_a_step_is_finished_once(store: TaskStore, leases: Leases) -> None:
    begin(store)
    lease = leases.claim("a", LIMITS, 100, 10)
    assert lease is not None
    with pytest.raises(LeaseLost):
        leases.finish_step(lease, 0, DONE)  # it has not begun
    step(leases, lease, 0)
    done = leases.finish_step(lease, 0, DONE)
    assert done.progress == 25 and done.steps[0].tokens == 3
    with pytest.raises(LeaseLost):
        leases.finish_step(lease, 0, DONE)


def test_what_goes_down_again_and_again_fails_plainly(start: Start, tmp_path: Path) -> None:
    with start() as house:
        house.model.hold()
        task_id = house.translate()
        until(lambda: house.model.running, 10, "the model is asked")
    database = tmp_path / "data" / "llm_proxy.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE workflow_tasks SET claims = ?", (MAX_CLAIMS,))
    with start() as house:
        task = house.ended(task_id)
        assert task["status"] == "failed" and task["error"]["type"] == "internal_error"
        assert "never came to its end" in task["message"]


def test_each_step_leaves_what_it_was_given_and_what_came_of_it(
    start: Start, tmp_path: Path
) -> None:
    with start() as house:
        task_id = house.translate()
        house.ended(task_id)
    wanted = (
        "SELECT prompt, answer, outputs, model, input_tokens, output_tokens, cost_usd, seconds "
        "FROM workflow_steps WHERE task_id = ? ORDER BY position"
    )
    with closing(sqlite3.connect(tmp_path / "data" / "llm_proxy.db")) as connection:
        rows = connection.execute(wanted, (task_id,)).fetchall()
    assert len(rows) == 3 and all(value is not None for row in rows for value in row)
    prompt, answer, outputs, *rest = rows[0]
    assert str(POEM["title"]) in json.loads(prompt)[-1]["content"]
    assert answer == said_to({"messages": json.loads(prompt)})
    assert json.loads(outputs)["translation"] == "moon\n  frost (first)"
    assert rest[:4] == ["vendor/good", 10, 5, 0.00002]


def test_a_released_task_goes_on_elsewhere_with_what_was_done(
    store: TaskStore, leases: Leases
) -> None:
    task = begin(store)
    lease = leases.claim("a", LIMITS, 100, 10)
    assert lease is not None
    step(leases, lease, 0)
    leases.finish_step(lease, 0, DONE)
    step(leases, lease, 1)
    leases.release(lease)
    again = leases.claim("b", LIMITS, 100, 10)
    found = store.get(task.id)
    assert again is not None and found.current is not None
    assert (found.current.name, found.current.status) == ("editor_review", "pending")
    assert found.steps[0].outputs == DONE.outputs


def test_a_task_that_waits_for_a_person_holds_no_lease_and_no_place(
    store: TaskStore, leases: Leases
) -> None:
    task = begin(store, "manual")
    lease = leases.claim_this(task.id, "a", 100, 10)
    assert lease is not None
    waiting = step(leases, lease, 0, waits=True)
    assert waiting.status == "waiting_for_person"
    assert leases.claim("b", LIMITS, 1000, 10) is None
    answered = store.answer(task.id, waiting.steps[0], DONE)
    assert answered.status == "pending" and answered.steps[0].status == "completed"
    with pytest.raises(Conflict):
        store.answer(task.id, waiting.steps[0], DONE)


def test_cancelling_takes_the_lease_away(store: TaskStore, leases: Leases) -> None:
    task = begin(store)
    lease = leases.claim("a", LIMITS, 100, 10)
    assert lease is not None
    step(leases, lease, 0)
    cancelled = store.cancel(task.id)
    assert cancelled.status == "cancelled" and cancelled.steps[0].status == "cancelled"
    assert leases.held([lease]) == set()
    with pytest.raises(LeaseLost):
        leases.finish_step(lease, 0, DONE)
    with pytest.raises(Conflict):
        store.cancel(task.id)


def test_of_tasks_with_one_key_one_is_under_way(store: TaskStore, leases: Leases) -> None:
    first = begin(store, only_one="briefing:p")
    assert begin(store, only_one="briefing:p").id == first.id
    store.cancel(first.id)
    assert begin(store, only_one="briefing:p").id != first.id


def test_events_are_counted_within_their_task(store: TaskStore, leases: Leases) -> None:
    one, other = begin(store), begin(store)
    lease = leases.claim("a", LIMITS, 100, 10)
    assert lease is not None and lease.task_id == one.id
    newest = store.newest_event()
    step(leases, lease, 0)
    leases.token(lease, "initial_translation", 1, "moon")
    events, _ = store.events(one.id, 0, 100)
    assert [event.position for event in events] == [1, 2, 3, 4]
    assert [event.event for event in events] == ["status", "status", "step_change", "token"]
    assert [event.position for event in store.events(other.id, 0, 100)[0]] == [1]
    assert store.news(newest)[1] == {one.id}
    tokens, before = store.events(one.id, 3, 100)
    assert tokens[0].data["text"] == "moon" and before["task_id"] == one.id


def test_a_task_keeps_its_definition_whatever_becomes_of_the_file(store: TaskStore) -> None:
    task = begin(store)
    assert store.workflow(task) == WORKFLOW
    assert begin(store).definition == task.definition


def test_old_tasks_are_forgotten_with_all_that_is_theirs(store: TaskStore, tmp_path: Path) -> None:
    old, young, running = begin(store), begin(store), begin(store)
    store.cancel(old.id)
    store.cancel(young.id)
    with closing(sqlite3.connect(tmp_path / "data" / "llm_proxy.db")) as connection:
        connection.execute(
            "UPDATE workflow_tasks SET ended_at = '2020-01-01' WHERE id = ?", (old.id,)
        )
        connection.commit()
    assert store.forget(30) == 1 and store.forget(30) == 0
    assert store.find(old.id) is None and store.find(young.id) and store.find(running.id)
    assert store.events(old.id, 0, 10)[0] == []


def test_the_payload_is_that_of_the_contract(store: TaskStore) -> None:
    payload: dict[str, Any] = payload_of(begin(store))
    assert payload["status"] == "pending" and payload["progress"] == 0
    assert payload["current_step"] == "initial_translation"
    assert set(payload["steps"][0]) >= {"name", "status", "seconds", "model", "tokens"}
