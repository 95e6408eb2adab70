"""What pages with the chat need beside it, also those of other sites."""

import pytest

from tests.llm_proxy.conftest import Start
from tests.support.wait import until

pytestmark = pytest.mark.process

COMPANY = {
    "company_info": {"name_en": "Sample", "email": "hello@example.com"},
    "assistant_info": {"name": "Foot"},
}
ASSISTANT = "/api/llm/assistants/site"
FEEDBACK = "/api/llm/feedback"


def test_an_assistant_is_shown_with_the_company_behind_it(start: Start) -> None:
    with start() as gateway, gateway.client() as client:
        gateway.neighbours.company = COMPANY
        assert client.get(ASSISTANT).json() == {"assistant": "site", **COMPANY}


def test_an_unknown_assistant_is_not_shown(start: Start) -> None:
    with start() as gateway, gateway.client() as client:
        answer = client.get("/api/llm/assistants/nobody")
        assert answer.status_code == 404
        assert answer.json()["error"]["param"] == "name"


def test_while_kb_fails_the_page_still_gets_an_answer_and_later_the_truth(start: Start) -> None:
    with start() as gateway, gateway.client() as client:
        gateway.neighbours.company = COMPANY
        gateway.neighbours.kb_status = 503
        empty = {"assistant": "site", "company_info": {}, "assistant_info": {}}
        assert client.get(ASSISTANT).json() == empty
        gateway.neighbours.kb_status = 200
        assert client.get(ASSISTANT).json()["assistant_info"] == {"name": "Foot"}


def test_an_opinion_becomes_an_event(start: Start) -> None:
    with start() as gateway:
        body = {"request_id": "request-1", "rating": "down", "comment": "too short"}
        answer = gateway.post(FEEDBACK, body, headers={"X-Session-ID": "session-1"})
        assert (answer.status_code, answer.json()) == (202, {"status": "recorded"})
        until(lambda: bool(gateway.neighbours.events), timeout_seconds=10)
        (event,) = gateway.neighbours.events
        assert (event["kind"], event["session_id"]) == ("feedback", "session-1")
        assert event["attributes"] == {
            "trivet.rating": "down",
            "trivet.comment": "too short",
            "trivet.rated_request_id": "request-1",
        }


def test_an_opinion_that_makes_no_sense_is_refused(start: Start) -> None:
    with start() as gateway:
        for body in ({}, {"request_id": "", "rating": "up"}, {"request_id": "r", "rating": "meh"}):
            assert gateway.post(FEEDBACK, body).status_code == 422


def test_nobody_votes_without_end(start: Start) -> None:
    with start() as gateway:
        body = {"request_id": "request-1", "rating": "up"}
        answers = [gateway.post(FEEDBACK, body).status_code for _ in range(31)]
        assert answers == [202] * 30 + [429]
