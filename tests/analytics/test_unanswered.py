"""Questions that were not answered, in the range that a reader looks at."""

from datetime import timedelta
from typing import Any

import pytest

from tests.analytics.conftest import Service
from tests.analytics.making import chat, feedback, search


@pytest.fixture(scope="module")
def asked(shared: Service) -> Service:
    vote = feedback("down")
    vote["attributes"]["trivet.rated_request_id"] = "r2"
    weak = {"trivet.top_score": 0.2}
    shared.send(
        *(search("do you ship to Norway", found=0, ago=timedelta(hours=n)) for n in (1, 2, 30)),
        search("营业时间", found=0),
        search("opening hours", found=0, ago=timedelta(days=9)),
        search("quantum", extra=weak),
        search("found", extra={"trivet.top_score": 0.9}),
        chat("call 13812345678", request_id="r1", extra={"trivet.citations": []}),
        chat("where are you", request_id="r2", extra={"trivet.citations": ["a"]}),
        vote,
    )
    return shared


def texts(service: Service, **params: Any) -> list[tuple[str, int]]:
    found = service.get("unanswered", **params)["questions"]
    return [(question["text"], question["count"]) for question in found]


def test_the_most_frequent_of_the_range_comes_first(asked: Service) -> None:
    assert texts(asked, days=7) == [("do you ship to Norway", 3), ("营业时间", 1)]
    assert texts(asked, days=30)[-1] == ("opening hours", 1)
    assert texts(asked, days=30, limit=1) == [("do you ship to Norway", 3)]


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("low_score", "quantum"),
        ("refused", "call [phone]"),
        ("thumbs_down", "where are you"),
    ],
)
def test_each_reason_has_its_own_questions(asked: Service, reason: str, text: str) -> None:
    assert texts(asked, reason=reason) == [(text, 1)]


def test_a_question_says_where_it_was_looked_for_and_whether_a_gap_holds_it(
    asked: Service,
) -> None:
    first = asked.get("unanswered", days=7)["questions"][0]
    assert first["collection"] == "site"
    assert first["last_asked"] == "2026-11-21T11:00:00.000000Z"
    assert (first["gap_id"], first["gap_state"]) == (None, None)  # no embedder here


def test_a_day_begins_in_the_readers_zone(shared: Service) -> None:
    """It is noon in London and eight in the evening in Shanghai."""
    shared.send(search("late", found=0, ago=timedelta(hours=15)))
    assert "late" not in dict(texts(shared, days=1, tz="UTC"))
    assert "late" in dict(texts(shared, days=1, tz="Asia/Shanghai"))


@pytest.mark.parametrize("params", [{"reason": "none"}, {"tz": "Nowhere"}, {"days": 0}])
def test_what_does_not_fit_is_told(shared: Service, params: dict[str, Any]) -> None:
    answer = shared.administrator.get("/api/analytics/unanswered", params=params)
    assert answer.status_code == 422


def test_it_is_the_administrators_alone(shared: Service) -> None:
    assert shared.visitor.get("/api/analytics/unanswered").status_code == 401
    assert shared.neighbour.get("/api/analytics/unanswered").status_code == 403
