"""A task that came to nothing goes on from its last finished step."""

from typing import Any

from tests.llm_proxy.workflows.conftest import House, Start, data_of
from tests.llm_proxy.workflows.stands import POEM, said_to
from tests.support.wait import until


def no_review(body: dict[str, Any]) -> str:
    """Says nothing where the draft is to be reviewed, asked again neither."""
    asked = [message["content"] for message in body["messages"]]
    return "" if any("Compare this translation" in text for text in asked) else said_to(body)


def retried(house: House, task_id: str) -> Any:
    return house.call("POST", f"/api/v1/workflow/tasks/{task_id}/retry")


def test_a_failed_task_goes_on_where_it_failed(start: Start) -> None:
    with start() as house:
        house.model.answer = no_review
        task_id = house.translate()
        failed = house.ended(task_id)
        assert [step["status"] for step in failed["steps"]] == ["completed", "failed", "pending"]
        house.model.answer = said_to
        before = len(house.model.calls)
        answer = retried(house, task_id)
        assert answer.status_code == 200
        assert answer.json()["task_id"] == task_id and answer.json()["error"] is None
        task = house.ended(task_id)
        assert task["status"] == "completed" and task["error"] is None
        assert len(house.model.calls) - before == 2  # the draft is not made again
        assert task["steps"][0] == failed["steps"][0]
        assert len(house.kb.kept["translations"]) == 1
        again = retried(house, task_id)
        assert again.status_code == 409 and again.json()["error"]["type"] == "conflict_error"


def test_watchers_are_told_the_new_end_and_not_the_former_one(start: Start) -> None:
    with start() as house:
        house.model.answer = no_review
        task_id = house.translate()
        house.ended(task_id)
        early = house.events(task_id)
        assert [event.event for event in early] == ["failed", "error"]
        house.model.answer = said_to
        retried(house, task_id)
        house.ended(task_id)
        late = house.events(task_id)
        names = [event.event for event in late]
        assert names[0] == "connected" and names[-1] == "completed"
        assert not {"failed", "error", "former_end"} & set(names)
        assert all(data_of(event)["status"] != "failed" for event in late)
        rest = house.events(task_id, after=early[0].id or "")
        assert data_of(rest[1])["message"] == "started again"
        assert rest[-1].event == "completed"


def test_a_cancelled_task_goes_on(start: Start) -> None:
    with start() as house:
        house.model.hold()
        task_id = house.translate()
        until(lambda: house.model.running, 10, "the model is asked")
        house.call("DELETE", f"/api/v1/workflow/tasks/{task_id}")
        house.model.release()
        assert retried(house, task_id).status_code == 200
        task = house.ended(task_id)
        assert task["status"] == "completed" and task["steps"][0]["attempts"] == 2


def test_work_by_hand_that_was_cancelled_waits_for_the_same_answer(house: House) -> None:
    body = {"poem_id": POEM["id"], "target_lang": "en"}
    session = house.call("POST", "/api/v1/manual/sessions", body).json()
    one = f"/api/v1/manual/sessions/{session['session_id']}"
    draft = {"content": "<translation>moon</translation>"}
    reviewed = house.call("POST", f"{one}/steps/initial_translation", draft).json()
    house.call("DELETE", f"/api/v1/workflow/tasks/{session['session_id']}")
    assert retried(house, session["session_id"]).json()["status"] == "waiting_for_person"
    shown = house.call("GET", one).json()
    assert shown["step"] == "editor_review" and shown["prompt"] == reviewed["prompt"]


def test_what_is_under_way_or_is_not_there_cannot_be_started_again(start: Start) -> None:
    with start() as house:
        house.model.hold()
        task_id = house.translate()
        assert retried(house, task_id).status_code == 409
        assert retried(house, "nothing").status_code == 404
        path = f"/api/v1/workflow/tasks/{task_id}/retry"
        assert house.clients[0].post(path).status_code == 401
        house.model.release()


def test_a_failed_briefing_waits_for_the_one_that_is_made_instead(start: Start) -> None:
    with start() as house:
        house.model.answer = lambda body: ""
        wanted = {"poem_id": POEM["id"]}
        first = house.call("POST", "/api/v1/bbr/generate", wanted).json()["task_id"]
        house.ended(first)
        house.model.answer = said_to
        house.model.hold()
        second = house.call("POST", "/api/v1/bbr/generate", wanted).json()["task_id"]
        assert second != first and retried(house, first).status_code == 409
        house.model.release()
        house.ended(second)
        assert retried(house, first).status_code == 200
        assert house.ended(first)["status"] == "completed"
