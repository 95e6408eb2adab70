"""Work by hand: prompts to copy, answers pasted back in every form that clients send."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.llm_proxy.workflows.conftest import House, Start
from tests.llm_proxy.workflows.stands import BRIEFING, POEM
from tests.support.wait import until

pytestmark = pytest.mark.process

SESSIONS = "/api/v1/manual/sessions"
STEPS = ("initial_translation", "editor_review", "revised_translation")
ANSWERS = (
    "<title>A night</title><translation>by hand\n    indented</translation>",
    "Do it again.",
    "<title>Night</title><translation>by hand, again</translation><notes>mine</notes>",
)


def opened(house: House) -> dict[str, Any]:
    answer = house.call("POST", SESSIONS, {"poem_id": POEM["id"], "target_lang": "en"})
    assert answer.status_code == 200, answer.text
    session: dict[str, Any] = answer.json()
    return session


def submit(house: House, session_id: str, step: str, content: str, **more: Any) -> httpx.Response:
    body = {"content": content, **more}
    return house.call("POST", f"{SESSIONS}/{session_id}/steps/{step}", body)


def test_three_answers_by_hand_make_a_persons_translation(house: House) -> None:
    session = opened(house)
    assert session["status"] == "created" and session["step"] == STEPS[0]
    assert (session["poem_id"], session["target_lang"]) == (POEM["id"], "en")
    assert POEM["original_text"] in session["prompt"]
    calls = len(house.model.calls)

    for step, answer, following in zip(STEPS, ANSWERS, [*STEPS[1:], None], strict=True):
        response = submit(house, session["session_id"], step, answer)
        assert response.status_code == 200, response.text
        assert response.json()["step"] == following

    done = response.json()
    assert done["status"] == "completed" and done["prompt"] is None
    kept = [t for t in house.kb.kept["translations"] if t["task_id"] == session["session_id"]]
    assert len(kept) == 1 and kept[0]["id"] == done["result"]["translation_id"]
    assert kept[0]["translator_type"] == "human" and kept[0]["mode"] == "manual"
    assert kept[0]["translated_text"] == "by hand, again" and kept[0]["notes"] == "mine"
    assert len(house.model.calls) == calls
    assert house.task(session["session_id"])["status"] == "completed"


def test_each_prompt_holds_what_was_answered_before(house: House) -> None:
    session = opened(house)
    second = submit(house, session["session_id"], STEPS[0], ANSWERS[0]).json()
    assert "by hand\n    indented" in second["prompt"]
    third = submit(house, session["session_id"], STEPS[1], ANSWERS[1]).json()
    assert "Do it again." in third["prompt"]


def test_what_a_model_wrote_for_a_person_is_the_models(house: House) -> None:
    session = opened(house)
    for step, answer in zip(STEPS, ANSWERS, strict=True):
        last = submit(house, session["session_id"], step, answer, model_name="some-chat")
    assert last.json()["result"]["translator_type"] == "ai"
    kept = [t for t in house.kb.kept["translations"] if t["task_id"] == session["session_id"]]
    assert kept[0]["model"] == "some-chat"


def test_the_content_may_come_in_the_query_or_as_a_form(house: House) -> None:
    session = opened(house)
    path = f"{SESSIONS}/{session['session_id']}/steps/"
    by_query = house.call("POST", path + STEPS[0], params={"content": ANSWERS[0]})
    assert by_query.status_code == 200, by_query.text
    form = house.clients[0].post(path + STEPS[1], data={"content": "好"}, headers=house.admin)
    assert form.status_code == 200, form.text
    files: dict[str, Any] = {"content": (None, ANSWERS[2])}
    parts = house.clients[0].post(path + STEPS[2], files=files, headers=house.admin)
    assert parts.status_code == 200 and parts.json()["status"] == "completed", parts.text


def test_an_answer_that_does_not_fit_says_why_and_changes_nothing(house: House) -> None:
    session = opened(house)
    session_id = session["session_id"]
    for content, why in (
        ("   ", "empty"),
        ("<title>only a title</title>", "<translation> is missing"),
        ("<translation>open", "never closed"),
        ("<translation></translation>", "is empty"),
    ):
        response = submit(house, session_id, STEPS[0], content)
        assert response.status_code == 422, content
        error = response.json()["error"]
        assert why in error["message"] and error["param"] == "content"
    path = f"{SESSIONS}/{session_id}/steps/{STEPS[0]}"
    assert house.call("POST", path, {}).status_code == 422
    assert house.call("GET", f"{SESSIONS}/{session_id}").json()["prompt"] == session["prompt"]


def test_steps_are_taken_in_their_order_and_once(house: House) -> None:
    session_id = opened(house)["session_id"]
    early = submit(house, session_id, STEPS[1], "too early")
    assert early.status_code == 409 and STEPS[0] in early.json()["error"]["message"]
    assert submit(house, session_id, "dance", "what").status_code == 404
    assert submit(house, "nothing", STEPS[0], "what").status_code == 404
    assert submit(house, session_id, STEPS[0], ANSWERS[0]).status_code == 200
    assert submit(house, session_id, STEPS[0], ANSWERS[0]).status_code == 409


def test_a_session_is_gone_on_with_after_a_restart(start: Start) -> None:
    with start() as house:
        session = opened(house)
        submit(house, session["session_id"], STEPS[0], ANSWERS[0])
    with start() as house:
        path = f"{SESSIONS}/{session['session_id']}"
        shown = house.call("GET", path).json()
        assert shown["status"] == "waiting_for_person" and shown["step"] == STEPS[1]
        assert "by hand" in shown["prompt"]
        assert shown["steps"][0]["outputs"]["title"] == "A night"


def test_a_translation_in_manual_mode_waits_for_a_person(house: House) -> None:
    task_id = house.translate("manual")
    assert house.task(task_id)["status"] == "waiting_for_person"
    assert house.call("GET", f"{SESSIONS}/{task_id}").json()["step"] == STEPS[0]
    assert house.call("DELETE", f"/api/v1/workflow/tasks/{task_id}").status_code == 200
    assert submit(house, task_id, STEPS[0], ANSWERS[0]).status_code == 409


def test_a_briefing_can_be_written_by_hand(start: Start) -> None:
    with start() as house:
        body = {"workflow": "briefing", "mode": "manual", "poem_id": POEM["id"]}
        begun = house.call("POST", "/api/v1/workflow/tasks", body)
        assert begun.status_code == 200, begun.text
        task_id = begun.json()["task_id"]
        bad = submit(house, task_id, "briefing_report", '{"summary": 3}')
        assert bad.status_code == 422 and "$.summary" in bad.json()["error"]["message"]
        fenced = f"Here it is:\n```json\n{json.dumps(BRIEFING)}\n```"
        good = submit(house, task_id, "briefing_report", fenced)
        assert good.status_code == 200 and good.json()["status"] == "completed", good.text
        assert house.kb.kept["briefings"][0]["content"] == BRIEFING


def test_kb_away_refuses_a_new_session_and_takes_the_last_answer_once_it_is_back(
    start: Start,
) -> None:
    with start(LLM_PROXY_WORKFLOW_KB_PATIENCE_SECONDS="30") as house:
        session_id = opened(house)["session_id"]
        for step, answer in zip(STEPS[:2], ANSWERS[:2], strict=True):
            submit(house, session_id, step, answer)
        house.kb.away = True
        body = {"poem_id": POEM["id"], "target_lang": "en"}
        assert house.call("POST", SESSIONS, body).status_code == 503
        with ThreadPoolExecutor() as pool:
            last = pool.submit(submit, house, session_id, STEPS[2], ANSWERS[2])
            until(lambda: house.task(session_id)["message"] == "waits for kb", 10, "it waits")
            house.kb.away = False
            assert last.result(20).json()["status"] == "completed"


def test_a_form_that_is_none_is_refused(house: House) -> None:
    session_id = opened(house)["session_id"]
    path = f"{SESSIONS}/{session_id}/steps/{STEPS[0]}"
    multipart = "multipart/form-data; boundary=b"
    for kind, content in (
        ("multipart/form-data", b"x"),
        (multipart, b"--b no headers"),
        (multipart + "; charset=none-such", b"--b\r\ncontent-disposition: form-data; name=content"),
        ("application/x-www-form-urlencoded", b"\xff=&&"),
        ("application/x-www-form-urlencoded", b"nothing"),
    ):
        headers = {**house.admin, "content-type": kind}
        answer = house.clients[0].post(path, content=content, headers=headers)
        assert answer.status_code in (400, 422), f"{kind} {content!r}: {answer.text}"


def test_a_briefing_can_be_a_session_too(start: Start) -> None:
    with start() as house:
        body = {"poem_id": POEM["id"], "target_lang": "en", "workflow": "briefing"}
        session = house.call("POST", SESSIONS, body).json()
        assert session["step"] == "briefing_report" and POEM["title"] in session["prompt"]
