"""Conversations: found by what was asked, and one of them whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.analytics.settings import Settings
from tests.analytics.conftest import Service, serve
from tests.analytics.making import chat, failed, feedback, search

pytestmark = pytest.mark.process
VISITOR = "0123456789ab0123456789ab"


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def assisted(question: str, request: str, **more: Any) -> dict[str, Any]:
    extra = {"trivet.assistant": "site", "trivet.citations": ["41", "42"], **more.pop("extra", {})}
    return chat(question, request_id=request, extra=extra, **more)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two conversations, a failed one, and a question without a session."""
    for service in serve(Settings(data_dir=tmp_path_factory.mktemp("data"))):
        conversation = {"session_id": "s-a", "visitor_id": VISITOR}
        service.send(
            assisted("How do I back up?", "r-a1", ago=minutes(50), **conversation),
            search("How do I back up?", cause="assistant", request_id="r-a1", ago=minutes(50)),
            assisted("And how restore?", "r-a2", ago=minutes(10), **conversation),
            feedback("down", ago=minutes(9), extra=None) | {
                "attributes": {
                    "trivet.rating": "down",
                    "trivet.rated_request_id": "r-a2",
                    "trivet.comment": "Not what I asked.",
                }
            },
            assisted("可以寄到挪威吗？", "r-b1", ago=minutes(30), session_id="s-b"),
            failed(ago=minutes(20), session_id="s-c", request_id="r-c1",
                   extra={"trivet.end_reason": "error"}),
            chat("Alone", request_id="r-alone", ago=minutes(5)),
            chat(None, session_id="a-task", request_id="a-task.1.1", ago=minutes(4),
                 extra={"trivet.cause": "workflow"}),
        )  # fmt: skip
        yield service


def found(service: Service, **params: Any) -> list[str]:
    return [item["id"] for item in service.get("conversations", **params)["items"]]


def test_the_newest_conversation_comes_first(told: Service) -> None:
    assert found(told) == ["r-alone", "s-a", "s-c", "s-b"]
    item = told.get("conversations")["items"][1]
    assert item["question"] == "How do I back up?"
    assert item["matching"] == "And how restore?"
    assert (item["questions"], item["assistants"]) == (2, ["site"])
    assert item["models"] == ["doubao/m1"]
    assert (item["input_tokens"], item["output_tokens"]) == (20, 10)
    assert item["cost_usd"] == pytest.approx(0.000246)
    assert (item["thumbs_up"], item["thumbs_down"]) == (0, 1)
    assert item["end_reasons"] == {"complete": 2}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"text": "back up"}, ["s-a"]),
        ({"text": "挪威"}, ["s-b"]),
        ({"assistant": "site"}, ["s-a", "s-b"]),
        ({"assistant": "nobody"}, []),
        ({"visitor": VISITOR}, ["s-a"]),
        ({"end_reason": "error"}, ["s-c"]),
        ({"date_from": "2026-11-21T11:45:00Z"}, ["r-alone", "s-a"]),
        ({"date_to": "2026-11-21T11:45:00Z"}, ["s-c", "s-b", "s-a"]),
        ({"date_to": "2026-11-21T11:45:00Z", "text": "up"}, ["s-a"]),
    ],
)
def test_conversations_are_found_by(
    told: Service, params: dict[str, Any], expected: list[str]
) -> None:
    assert found(told, **params) == expected


def test_each_conversation_stands_on_one_page_alone(told: Service) -> None:
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(9):
        page = told.get("conversations", limit=1, **({"cursor": cursor} if cursor else {}))
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["r-alone", "s-a", "s-c", "s-b"]


def test_what_can_be_filtered_by_is_told(told: Service) -> None:
    page = told.get("conversations", limit=1)
    assert page["known_assistants"] == ["site"]
    assert page["known_end_reasons"] == ["complete", "error"]


def test_one_conversation_is_told_whole(told: Service) -> None:
    conversation = told.get("conversation", id="s-a")
    assert conversation["visitor_id"] == VISITOR
    first, second = conversation["turns"]
    assert (first["question"], second["question"]) == ("How do I back up?", "And how restore?")
    assert first["citations"] == ["41", "42"]
    assert first["searches"][0]["total_found"] == 3
    assert (first["first_token_seconds"], first["duration_seconds"]) == (0.25, 1.5)
    assert (first["rating"], second["rating"]) == (None, "down")
    assert second["comment"] == "Not what I asked."
    assert first["answer"] is None
    assert (conversation["stores_questions"], conversation["stores_answers"]) == (True, False)


def test_a_request_leads_to_its_conversation(told: Service) -> None:
    assert told.get("conversation", id="r-a2")["id"] == "s-a"
    alone = told.get("conversation", id="r-alone")
    assert (alone["id"], len(alone["turns"])) == ("r-alone", 1)
    assert alone["turns"][0]["citations"] is None


def test_an_unknown_conversation_is_404(told: Service) -> None:
    response = told.administrator.get("/api/analytics/conversation", params={"id": "nobody"})
    assert response.status_code == 404
    assert response.json()["error"]["type"] == "not_found_error"


def test_only_the_administrator_may_read_them(told: Service) -> None:
    for path in ("conversations", "conversation?id=s-a"):
        assert told.neighbour.get(f"/api/analytics/{path}").status_code == 403
        assert told.visitor.get(f"/api/analytics/{path}").status_code == 401


ANSWER = "Write to jane@example.org or call 13812345678."


def answered(**more: Any) -> dict[str, Any]:
    return chat("Who?", session_id="s-1", extra={"trivet.answer": ANSWER}, **more)


def test_answers_are_not_kept_unless_a_setting_says_so(told: Service) -> None:
    told.send(chat("Kept?", session_id="s-k", request_id="r-k", extra={"trivet.answer": ANSWER}))
    turn = told.get("conversation", id="s-k")["turns"][0]
    assert (turn["question"], turn["answer"]) == ("Kept?", None)
    assert "jane" not in str(told.queries(session="s-k"))


def test_answers_are_kept_redacted_and_go_with_their_records(tmp_path: Path) -> None:
    for service in serve(Settings(data_dir=tmp_path, store_answers=True)):
        service.send(answered(ago=timedelta(days=40)), answered())
        turns = service.get("conversation", id="s-1")["turns"]
        assert [turn["answer"] for turn in turns] == ["Write to [email] or call [phone]."] * 2
        service.clean_up(older_than_days=30)
        conversation = service.get("conversation", id="s-1")
        assert len(conversation["turns"]) == 1
        assert conversation["earlier_turns"] == 1
        with service_database(service) as connection:
            assert connection.execute("SELECT count(*) FROM answer").fetchone() == (1,)


def service_database(service: Service) -> Any:
    import sqlite3
    from contextlib import closing

    return closing(sqlite3.connect(service.settings.database_path))
