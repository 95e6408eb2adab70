"""Cancelling: what runs ends, in whichever instance it runs."""

import pytest

from tests.llm_proxy.workflows.conftest import House, Start, data_of
from tests.support.wait import until

pytestmark = pytest.mark.process


@pytest.mark.parametrize("asked", [0, 1])
def test_cancelling_ends_the_models_call_wherever_it_runs(start: Start, asked: int) -> None:
    with start(instances=2) as house:
        house.model.hold()
        task_id = house.translate()
        until(lambda: house.model.running, 10, "the model is asked")
        answer = house.call("DELETE", f"/api/v1/workflow/tasks/{task_id}", instance=asked)
        assert answer.status_code == 200 and answer.json() == {"status": "cancelled"}
        until(lambda: not house.model.running, 5, "the call has ended")
        assert house.model.broken_off == 1
        task = house.task(task_id)
        assert task["status"] == "cancelled" and task["steps"][0]["status"] == "cancelled"
        events = house.events(task_id, instance=asked)
        assert [event.event for event in events] == ["cancelled", "error"]
        assert data_of(events[1])["error"]["type"] == "conflict_error"


def test_a_task_that_waits_for_its_turn_is_cancelled_and_never_runs(start: Start) -> None:
    with start() as house:
        house.model.hold()
        first = [house.translate() for _ in range(2)]
        until(lambda: house.model.running == 2, 10, "both places are taken")
        waiting = house.translate()
        assert house.task(waiting)["status"] == "pending"
        assert house.call("DELETE", f"/api/v1/workflow/tasks/{waiting}").status_code == 200
        house.model.release()
        for task_id in first:
            assert house.ended(task_id)["status"] == "completed"
        assert house.task(waiting)["status"] == "cancelled"
        assert len(house.model.calls) == 6


def test_what_has_ended_cannot_be_cancelled(house: House) -> None:
    task_id = house.translate()
    house.ended(task_id)
    again = house.call("DELETE", f"/api/v1/workflow/tasks/{task_id}")
    assert again.status_code == 409 and again.json()["error"]["type"] == "conflict_error"
    assert house.call("DELETE", "/api/v1/workflow/tasks/nothing").status_code == 404
    assert house.clients[0].delete(f"/api/v1/workflow/tasks/{task_id}").status_code == 401


def test_a_workflows_tasks_run_up_to_its_bound_over_all_instances(start: Start) -> None:
    with start(instances=2) as house:
        house.model.seconds = 0.03
        tasks = [house.translate() for _ in range(8)]
        for task_id in tasks:
            assert house.ended(task_id)["status"] == "completed"
        assert house.model.most_running <= 2
        listed = house.call("GET", "/api/v1/workflow/tasks?limit=3").json()
        assert [item["task_id"] for item in listed["items"]] == tasks[:-4:-1]
        rest = house.call("GET", f"/api/v1/workflow/tasks?cursor={listed['next_cursor']}").json()
        assert [item["task_id"] for item in rest["items"]] == tasks[-4::-1]
        assert rest["next_cursor"] is None
