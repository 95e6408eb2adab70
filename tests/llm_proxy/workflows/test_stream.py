"""A task's stream: history, ids, several watchers, and what a failed task's watchers are told."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from services.kernel.sse import SseEvent
from tests.llm_proxy.workflows.conftest import House, Start, data_of
from tests.llm_proxy.workflows.stands import said_to
from tests.support.wait import until

pytestmark = pytest.mark.process


def names(events: list[SseEvent]) -> list[str]:
    return [event.event for event in events]


def text_of(events: list[SseEvent], step: str) -> str:
    tokens = [data_of(event) for event in events if event.event == "token"]
    return "".join(token["text"] for token in tokens if token["step"] == step)


def test_a_stream_tells_a_task_from_its_beginning_to_its_end(start: Start) -> None:
    with start() as house:
        house.model.hold()
        task_id = house.translate()
        with ThreadPoolExecutor() as pool:
            watching = pool.submit(house.events, task_id)
            until(lambda: house.model.running, 10, "the first call")
            house.model.release()
            events = watching.result(20)
        assert events[0].event == "connected" and events[-1].event == "completed"
        assert {"status", "step_change", "token"} <= set(names(events))
        assert "Quiet night" in text_of(events, "revised_translation")
        payload = data_of(events[-1])
        assert payload["status"] == "completed" and payload["progress"] == 100
        fields = "task_id status progress current_step steps message result error"
        assert set(fields.split()) <= payload.keys()
        progress = [data_of(event)["progress"] for event in events]
        assert progress == sorted(progress)


def test_a_late_watcher_gets_the_whole_history(house: House) -> None:
    task_id = house.translate()
    house.ended(task_id)
    events = house.events(task_id)
    assert names(events)[0] == "connected" and names(events)[-1] == "completed"
    changes = [data_of(event) for event in events if event.event == "step_change"]
    steps = [(item["current_step"], item["message"]) for item in changes]
    assert ("initial_translation", "initial_translation is being done") in steps
    assert text_of(events, "editor_review") == "Line 2 is weak."


def test_ids_let_a_watcher_go_on_where_it_was(house: House) -> None:
    task_id = house.translate()
    house.ended(task_id)
    whole = [event for event in house.events(task_id) if event.id]
    ids = [int(event.id or 0) for event in whole]
    assert ids == list(range(1, len(ids) + 1))
    half = len(whole) // 2
    rest = house.events(task_id, after=str(ids[half - 1]))
    assert [event.data for event in rest if event.id] == [event.data for event in whole[half:]]


def test_a_watcher_who_has_seen_the_end_is_told_it_again_and_is_let_go(house: House) -> None:
    task_id = house.translate()
    house.ended(task_id)
    for seen in ("9999", str(10**30)):
        again = house.events(task_id, after=seen)
        assert names(again) == ["connected", "completed"]


def test_an_odd_last_event_id_counts_as_none(house: House) -> None:
    task_id = house.translate()
    house.ended(task_id)
    for odd in ("-1", "x", "1.5"):
        assert len(house.events(task_id, after=odd)) > 2


@pytest.mark.process
def test_watchers_in_both_instances_see_the_same(start: Start) -> None:
    with start(instances=2) as house:
        house.model.hold()
        task_id = house.translate()
        with ThreadPoolExecutor() as pool:
            watching = [pool.submit(house.events, task_id, n) for n in (0, 1, 0, 1)]
            until(lambda: house.model.running, 10, "the first call")
            house.model.release()
            seen = [watcher.result(20) for watcher in watching]
        told = [[event.data for event in events if event.id] for events in seen]
        assert told[0] == told[1] == told[2] == told[3]
        assert names(seen[0])[-1] == "completed"


def test_a_silent_task_beats(start: Start) -> None:
    with start() as house:
        house.model.hold()
        task_id = house.translate()
        beats = 0
        for event in house.watch(f"/api/v1/workflow/tasks/{task_id}/stream"):
            if event.event == "heartbeat":
                assert event.id is None and data_of(event)["status"] == "running"
                beats += 1
                house.model.release()
        assert beats


def test_a_failed_task_is_told_without_connected_and_with_an_error(house: House) -> None:
    house.model.answer = lambda body: "" if "Compare" in str(body) else said_to(body)
    try:
        task_id = house.translate()
        assert house.ended(task_id)["status"] == "failed"
    finally:
        house.model.answer = said_to
    events = house.events(task_id)
    assert names(events) == ["failed", "error"]
    assert data_of(events[0])["status"] == "failed"
    error = data_of(events[1])["error"]
    assert error["type"] == "proxy_error" and error["code"] == 502 and error["message"]
    assert error["request_id"]
    seen = house.events(task_id, after="2")
    assert "connected" not in names(seen) and names(seen)[-2:] == ["failed", "error"]
    assert len(seen) > 2


def test_a_watcher_of_a_failing_task_gets_failed_and_then_error(house: House) -> None:
    house.model.answer = lambda body: ""
    try:
        events = house.events(house.translate())
    finally:
        house.model.answer = said_to
    assert names(events)[-2:] == ["failed", "error"]


def test_a_stream_of_no_task_is_404_and_needs_no_credential(house: House) -> None:
    for path in ("/api/v1/workflow/tasks/nothing", "/api/v1/workflow/tasks/nothing/stream"):
        answer = house.clients[0].get(path)
        assert answer.status_code == 404
        assert answer.json()["error"]["type"] == "not_found_error"
    task_id = house.translate()
    house.ended(task_id)
    assert house.clients[0].get(f"/api/v1/workflow/tasks/{task_id}").status_code == 200
    assert house.clients[0].get("/api/v1/workflow/tasks").status_code == 401


def test_head_of_a_stream_ends_at_once(house: House) -> None:
    task_id = house.translate("manual")
    answer = house.clients[0].head(f"/api/v1/workflow/tasks/{task_id}/stream")
    assert answer.status_code == 200 and answer.content == b""


def test_a_watcher_who_reads_nothing_holds_nobody_up(start: Start) -> None:
    with start() as house:
        house.model.answer = lambda body: "x" * 20_000
        house.model.pieces = 200
        task_id = house.translate()
        path = f"/api/v1/workflow/tasks/{task_id}/stream"
        with house.clients[0].stream("GET", path) as idle:
            assert idle.status_code == 200
            assert house.ended(task_id)["status"] == "completed"
            assert names(house.events(task_id))[-1] == "completed"
