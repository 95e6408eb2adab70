"""Events in over HTTP: each checked by itself, stored once, readable at once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.analytics.settings import Settings
from tests.analytics.conftest import Service, serve
from tests.analytics.making import NOW, Event, chat, event, failed, feedback, search

pytestmark = pytest.mark.process


def test_the_same_id_twice_is_one_event(service: Service) -> None:
    first, second = chat(), search()
    assert service.send(first, first) == {"accepted": 1, "duplicates": 1, "rejected": []}
    assert service.send(first, second) == {"accepted": 1, "duplicates": 1, "rejected": []}
    assert service.statistics()["total_questions"] == 1
    assert len(service.queries()) == 2


def test_a_chat_is_read_back_with_all_that_it_told(service: Service) -> None:
    sent = chat(
        "如何备份",
        model="m1",
        session_id="s1",
        visitor_id="v1",
        extra={
            "gen_ai.response.model": "m1-2026",
            "gen_ai.request.stream": True,
            "trivet.assistant": "site",
            "trivet.citations": ["a#1", "b"],
            "trivet.usage_source": "exact",
            "custom.field": {"deep": [1, "x"]},
        },
    )
    service.send(sent)
    (record,) = service.queries()
    expected = {
        "id": sent["id"],
        "kind": "chat",
        "time": "2026-11-21T12:00:00.000000Z",
        "service": "llm_proxy",
        "request_id": "request-1",
        "session_id": "s1",
        "visitor_id": "v1",
        "provider": "doubao",
        "model": "m1-2026",
        "requested_model": "m1",
        "assistant": "site",
        "status": 200,
        "error_type": None,
        "end_reason": "complete",
        "finish_reason": "stop",
        "stream": True,
        "input_tokens": 10,
        "output_tokens": 5,
        "usage_source": "exact",
        "cost_usd": 0.000123,
        "duration_seconds": 1.5,
        "first_token_seconds": 0.25,
        "text": "如何备份",
        "citations": ["a#1", "b"],
        "attributes": {"custom.field": {"deep": [1, "x"]}},
    }
    assert {name: record[name] for name in expected} == expected


def test_a_search_a_vote_and_a_failure_are_read_back(service: Service) -> None:
    service.send(search("cloud", found=0), feedback("down"), failed("rate_limit_error", 429))
    chats, votes, searches = (
        service.queries(kind=kind)[0] for kind in ("chat", "feedback", "search")
    )
    assert (chats["error_type"], chats["status"]) == ("rate_limit_error", 429)
    assert (votes["rating"], votes["rated_request_id"]) == ("down", "request-1")
    assert (searches["text"], searches["total_found"], searches["cause"]) == ("cloud", 0, "user")


UNFIT: list[tuple[str, Any, str]] = [
    ("no object", 3, "event"),
    ("an unknown kind", event("nonsense"), "event"),
    ("no kind", {"id": "x"}, "event"),
    ("an id that is none", {**chat(), "id": "7"}, "id"),
    ("an id of another version", {**chat(), "id": "11111111-1111-4111-8111-111111111111"}, "id"),
    ("no time", {**chat(), "time": None}, "time"),
    ("a time without an offset", {**chat(), "time": "2026-11-21T12:00:00"}, "time"),
    ("a time long ago", chat(ago=timedelta(days=3_000)), "time"),
    ("a time to come", chat(ago=timedelta(days=-2)), "time"),
    ("no service", {**chat(), "service": ""}, "service"),
    ("a request id of any length", {**chat(), "request_id": "r" * 129}, "request_id"),
    ("no attributes", {**chat(), "attributes": None}, "attributes"),
    (
        "tokens that are words",
        chat(extra={"gen_ai.usage.input_tokens": "many"}),
        "attributes.gen_ai.usage.input_tokens",
    ),
    (
        "fewer than no tokens",
        chat(extra={"gen_ai.usage.input_tokens": -1}),
        "attributes.gen_ai.usage.input_tokens",
    ),
    (
        "more tokens than there are",
        chat(extra={"gen_ai.usage.output_tokens": 10**30}),
        "attributes.gen_ai.usage.output_tokens",
    ),
    ("a rating that is none", feedback("sideways"), "attributes.trivet.rating"),
]


@pytest.mark.parametrize(("what", "unfit", "field"), UNFIT, ids=[what for what, _, _ in UNFIT])
def test_an_unfit_event_is_named_and_does_not_hold_up_the_others(
    shared: Service, what: str, unfit: Event, field: str
) -> None:
    answer = shared.send(chat(), unfit, chat())
    assert (answer["accepted"], answer["duplicates"]) == (2, 0)
    (rejected,) = answer["rejected"]
    assert rejected["index"] == 1
    assert rejected["message"].startswith(f"{field}: ")


def test_extra_attributes_are_bounded_however_deep_or_long(service: Service) -> None:
    deep: Any = "call 13812345678"
    for _ in range(500):
        deep = [deep]
    service.send(event("workflow", {"deep": deep}), event("error", {"long": "x" * 10_000}))
    errors, workflows = service.queries(kind="error")[0], service.queries(kind="workflow")[0]
    assert errors["attributes"] == {"trivet.dropped_attributes": 1}
    assert "13812345678" not in str(workflows["attributes"])


def test_long_texts_and_names_are_cut(service: Service) -> None:
    service.send(chat("问" * 5_000, model="m" * 5_000))
    (record,) = service.queries()
    assert len(record["text"]) == 2_000
    assert len(record["model"]) == 128


def test_events_are_counted_in_the_metrics(service: Service) -> None:
    sent = chat()
    service.send(sent, event("nonsense"))
    service.send(sent)
    metrics = service.visitor.get("/metrics").text
    for line in ('"accepted"} 1.0', '"duplicate"} 1.0', '"rejected"} 1.0'):
        assert f"trivet_analytics_events_total{{outcome={line}" in metrics


@pytest.fixture
def reticent(tmp_path: Path) -> Iterator[Service]:
    yield from serve(Settings(data_dir=tmp_path, store_questions=False))


def test_a_site_may_keep_no_text_of_questions(reticent: Service) -> None:
    reticent.send(chat("my secret plan"), search("my secret plan"))
    assert [record["text"] for record in reticent.queries()] == [None, None]
    assert reticent.statistics()["total_questions"] == 1
    assert reticent.statistics()["top_queries"] == []
    database = b"".join(
        path.read_bytes() for path in reticent.settings.data_dir.glob("analytics.db*")
    )
    assert b"my secret plan" not in database


def test_what_is_personal_never_reaches_the_database(service: Service) -> None:
    text = "我是张三，电话１３８１２３４５６７８，邮箱 zhang@example.com，身份证110101199003077758"
    service.send(
        chat(text), search(text), event("workflow", {"note": [text]}), feedback(ago=timedelta(1))
    )
    vote = {"request_id": "request-1", "rating": "up", "comment": text}
    assert service.visitor.post("/api/analytics/feedback", json=vote).status_code == 201
    database = b"".join(
        path.read_bytes() for path in service.settings.data_dir.glob("analytics.db*")
    )
    for personal in ("１３８１２３４５６７８", "13812345678", "zhang@example", "110101199003"):
        assert personal.encode() not in database
    assert (
        service.queries(kind="chat")[0]["text"] == "我是张三，电话[phone]，邮箱 [email]，身份证[id]"
    )


def test_a_vote_is_recorded_for_a_visitor(service: Service) -> None:
    answer = service.visitor.post(
        "/api/analytics/feedback",
        json={"request_id": "request-9", "rating": "down", "comment": "wrong"},
        headers={"X-Session-ID": "s9"},
    )
    assert answer.status_code == 201
    (record,) = service.queries(kind="feedback")
    assert record["id"] == answer.json()["id"]
    assert record["time"] == NOW.isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert (record["rated_request_id"], record["text"]) == ("request-9", "wrong")
    assert record["session_id"] == "s9"
    assert len(record["visitor_id"]) == 24
    assert service.statistics()["total_thumbs_down"] == 1


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Service]:
    yield from serve(Settings(data_dir=tmp_path, feedback_per_minute=3))


def test_votes_are_limited_by_address(strict: Service) -> None:
    vote = {"request_id": "request-9", "rating": "down"}
    answers = [strict.visitor.post("/api/analytics/feedback", json=vote) for _ in range(4)]
    # The window may turn between two of them; then one more is let in.
    while answers[-1].status_code == 201 and len(answers) < 8:
        answers.append(strict.visitor.post("/api/analytics/feedback", json=vote))
    refused = answers[-1]
    assert refused.status_code == 429
    assert refused.json()["error"]["type"] == "rate_limit_error"
    assert int(refused.headers["Retry-After"]) >= 1
    other = strict.visitor.post(
        "/api/analytics/feedback", json=vote, headers={"X-Real-IP": "203.0.113.7"}
    )
    assert other.status_code == 201
