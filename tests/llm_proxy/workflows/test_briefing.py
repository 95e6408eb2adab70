"""Background briefings: made once, on demand again, two at once are one; watched by any id."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.llm_proxy.workflows.conftest import House, Start, data_of
from tests.llm_proxy.workflows.stands import BRIEFING, POEM, said_to
from tests.support.wait import until

pytestmark = pytest.mark.process

GENERATE = "/api/v1/bbr/generate"
ASKED = {"poem_id": POEM["id"]}


def test_a_briefing_is_made_once_and_again_when_forced(start: Start) -> None:
    with start() as house:
        assert house.call("GET", f"/api/v1/bbr/{POEM['id']}").status_code == 404
        begun = house.call("POST", GENERATE, ASKED).json()
        assert begun == {
            "status": "generating",
            "poem_id": POEM["id"],
            "task_id": begun["task_id"],
        }
        task = house.ended(begun["task_id"])
        assert task["status"] == "completed" and task["result"]["content"] == BRIEFING
        exists = house.call("POST", GENERATE, ASKED).json()
        assert exists == {"status": "exists", "bbr_id": task["result"]["bbr_id"]}
        shown = house.call("GET", f"/api/v1/bbr/{POEM['id']}").json()
        assert shown["bbr_id"] == exists["bbr_id"] and shown["content"] == BRIEFING
        assert (shown["model"], shown["input_tokens"], shown["output_tokens"]) == (
            "vendor/good",
            10,
            5,
        )
        again = house.call("POST", GENERATE, {**ASKED, "force_regenerate": True}).json()
        assert again["status"] == "generating" and again["task_id"] != begun["task_id"]
        house.ended(again["task_id"])
        newest = house.call("GET", f"/api/v1/bbr/{POEM['id']}").json()
        assert newest["bbr_id"] != exists["bbr_id"]


@pytest.mark.process
def test_two_who_ask_at_once_get_one_briefing(start: Start) -> None:
    with start(instances=2) as house:
        house.model.hold()
        with ThreadPoolExecutor(8) as pool:
            asked = [
                pool.submit(house.call, "POST", GENERATE, ASKED, instance=n % 2) for n in range(8)
            ]
            ids = {answer.result().json()["task_id"] for answer in asked}
        house.model.release()
        assert len(ids) == 1
        house.ended(ids.pop())
        assert len(house.kb.kept["briefings"]) == 1 and len(house.model.calls) == 1


def test_the_model_is_asked_for_json_of_the_schema(house: House) -> None:
    house.model.calls.clear()
    begun = house.call("POST", GENERATE, {**ASKED, "force_regenerate": True}).json()
    house.ended(begun["task_id"])
    wanted = house.model.calls[-1]["response_format"]
    assert wanted["type"] == "json_schema" and wanted["json_schema"]["strict"] is True
    assert "cultural_context" in wanted["json_schema"]["schema"]["properties"]


def test_an_unfit_answer_is_repaired_once(house: House) -> None:
    house.model.calls.clear()
    unfit = iter(['{"summary": "short"}'])
    house.model.answer = lambda body: next(unfit, None) or said_to(body)
    try:
        begun = house.call("POST", GENERATE, {**ASKED, "force_regenerate": True}).json()
        task = house.ended(begun["task_id"])
    finally:
        house.model.answer = said_to
    assert task["status"] == "completed"
    first, second = house.model.calls
    assert [message["role"] for message in second["messages"]] == [
        *(message["role"] for message in first["messages"]),
        "assistant",
        "user",
    ]
    assert "cultural_context" in second["messages"][-1]["content"]
    step = task["steps"][0]
    assert step["attempts"] == 2 and step["tokens"] == 30  # both calls are paid for


def test_what_cannot_be_repaired_fails_and_says_what_is_wrong(house: House) -> None:
    house.model.calls.clear()
    house.model.answer = lambda body: "I would rather write prose."
    try:
        begun = house.call("POST", GENERATE, {**ASKED, "force_regenerate": True}).json()
        task = house.ended(begun["task_id"])
    finally:
        house.model.answer = said_to
    assert task["status"] == "failed" and len(house.model.calls) == 2
    assert task["error"]["type"] == "proxy_error" and "JSON" in task["error"]["message"]


def test_its_making_is_watched_by_task_by_poem_and_by_briefing(start: Start) -> None:
    with start() as house:
        house.model.hold()
        begun = house.call("POST", GENERATE, ASKED).json()
        until(lambda: house.model.running, 10, "the model is asked")
        with ThreadPoolExecutor() as pool:
            paths = [f"/api/v1/bbr/{known}/stream" for known in (begun["task_id"], POEM["id"])]
            watching = [pool.submit(lambda path: list(house.watch(path)), path) for path in paths]
            house.model.release()
            seen = [watcher.result(20) for watcher in watching]
        for events in seen:
            assert data_of(events[0])["event"] == "connected"
            assert data_of(events[-1])["event"] == "completed"
        bbr_id = data_of(seen[0][-1])["result"]["bbr_id"]
        late = list(house.watch(f"/api/v1/bbr/{bbr_id}/stream"))
        assert late[-1].event == "completed"
        assert house.clients[0].get("/api/v1/bbr/nothing/stream").status_code == 404


def test_a_poem_that_is_not_there_has_no_briefing(house: House) -> None:
    assert house.call("POST", GENERATE, {"poem_id": "nothing"}).status_code == 404
    assert house.call("POST", GENERATE, {}).status_code == 422
    assert house.clients[0].post(GENERATE, json=ASKED).status_code == 401
