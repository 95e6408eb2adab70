"""What was asked and not answered: put together, ranked, answered, asked again."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.analytics import chores
from services.analytics.settings import Settings
from services.kb.evaluation import read_jsonl
from tests.analytics.conftest import Service, serve
from tests.analytics.making import chat, feedback, search
from tests.analytics.neighbours import Neighbours, neighbours
from tests.support.wait import until

pytestmark = pytest.mark.process


@pytest.fixture
def around() -> Iterator[Neighbours]:
    with neighbours() as known:
        yield known


@pytest.fixture
def service(
    tmp_path: Path, around: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    monkeypatch.setattr(chores, "_GAPS_SECONDS", 0.05)
    yield from serve(
        Settings(data_dir=tmp_path, kb_urls=(around.kb_url,), embedder_url=around.embedder_url)
    )


def gaps(service: Service, count: int, **params: Any) -> list[dict[str, Any]]:
    """The gaps, once so many questions are in them."""

    def found() -> list[dict[str, Any]] | None:
        page = service.get("gaps", **params)
        items: list[dict[str, Any]] = page["items"]
        questions = sum(len(item["questions"]) for item in items)
        return items if questions == count and not page["unclustered"] else None

    return until(found, 10, f"{count} questions are in gaps") or []


def test_questions_that_mean_the_same_are_one_gap_and_the_most_pressing_comes_first(
    service: Service,
) -> None:
    service.send(
        search("如何开具发票", found=0),
        search("如何开具发票？", found=0, ago=timedelta(days=1)),
        search("opening hours", found=0, ago=timedelta(days=28)),
        search("opening hours", found=0, ago=timedelta(days=30)),
        search("how", found=3, extra={"trivet.top_score": 0.9}),
    )
    first, second = gaps(service, 3)
    assert {question["text"] for question in first["questions"]} == {
        "如何开具发票",
        "如何开具发票？",
    }
    assert (first["kind"], first["asked"], first["zero_hits"]) == ("missing", 2, 2)
    assert first["pressure"] > second["pressure"]
    assert second["question"] == "opening hours"
    assert second["pressure"] == pytest.approx(2 * 0.25)


def test_weak_refused_and_voted_down_questions_are_gaps_too(service: Service) -> None:
    refused = chat("退款要多久", request_id="r1", extra={"trivet.citations": []})
    voted = chat("where are you", request_id="r2", extra={"trivet.citations": ["a"]})
    vote = feedback("down")
    vote["attributes"]["trivet.rated_request_id"] = "r2"
    weak = search("quantum", extra={"trivet.top_score": 0.2})
    service.send(refused, voted, weak, vote, chat("fine"))
    by_question = {gap["question"]: gap for gap in gaps(service, 3)}
    assert by_question["退款要多久"]["refused"] == 1
    assert by_question["where are you"]["kind"] == "unhelpful"
    assert by_question["quantum"]["kind"] == "weak"


def test_questions_wait_for_the_embedder(service: Service, around: Neighbours) -> None:
    around.away = True
    service.send(search("nothing here", found=0))
    until(lambda: around.credentials, 10, "the embedder is asked")
    page = service.get("gaps")
    assert (page["items"], page["unclustered"]) == ([], 1)
    around.away = False
    assert len(gaps(service, 1)) == 1


def test_a_gap_shows_no_personal_data(service: Service) -> None:
    service.send(search("call 13812345678 please", found=0))
    assert gaps(service, 1)[0]["question"] == "call [phone] please"


def test_an_answer_becomes_a_document_and_the_questions_are_asked_again(
    service: Service, around: Neighbours
) -> None:
    service.send(search("如何开具发票", found=0), search("如何开具发票？", found=0))
    (gap,) = gaps(service, 2)
    answer = service.administrator.post(
        f"/api/analytics/gaps/{gap['id']}/answer", json={"content": "如何开具发票？请联系客服。"}
    )
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["state"] == "answered"
    assert told["source"] == f"answers/gap-{gap['id']}.md"
    assert around.documents[told["source"]].startswith("# 如何开具发票")
    for replay in told["replay"]:
        assert replay["before"] == {"found": 0, "top_score": None, "rank": None}
        assert replay["after"] == {"found": 1, "top_score": 0.9, "rank": 1}
    assert service.get("gaps")["items"] == []
    assert len(service.get("gaps", state="answered")["items"]) == 1
    assert service.get("gaps", state="answered", limit=1)["total"] == 1
    again = service.administrator.post(
        f"/api/analytics/gaps/{gap['id']}/answer", json={"content": "x"}
    )
    assert again.status_code == 409
    token = service.settings.service_token_path.read_text().strip()
    assert ("/api/documents", f"Bearer {token}") in around.credentials


def test_an_answered_gap_is_a_golden_query(service: Service) -> None:
    service.send(search("如何开具发票", found=0))
    (gap,) = gaps(service, 1)
    path = f"/api/analytics/gaps/{gap['id']}/answer"
    service.administrator.post(path, json={"content": "如何开具发票"}).raise_for_status()
    lines = service.administrator.get("/api/analytics/gaps/golden").text
    assert json.loads(lines)["query"] == "如何开具发票"
    (golden,) = read_jsonl(lines)
    assert golden.relevant == (f"answers/gap-{gap['id']}.md",)


def test_a_failed_answer_may_be_given_again(service: Service, around: Neighbours) -> None:
    service.send(search("如何开具发票", found=0))
    (gap,) = gaps(service, 1)
    path = f"/api/analytics/gaps/{gap['id']}/answer"
    around.broken = True
    assert service.administrator.post(path, json={"content": "x"}).status_code == 502
    assert service.get("gaps", state="failed")["items"][0]["id"] == gap["id"]
    around.broken = False
    assert service.administrator.post(path, json={"content": "x"}).status_code == 200


@pytest.mark.parametrize("number", ["0", "999", "x", "-1", "٣"])
def test_an_unknown_gap_is_404(service: Service, number: str) -> None:
    answer = service.administrator.post(
        f"/api/analytics/gaps/{number}/answer", json={"content": "x"}
    )
    assert answer.status_code == 404


def test_a_cleanup_takes_questions_that_nobody_asks_any_more(service: Service) -> None:
    service.send(search("old one", found=0, ago=timedelta(days=40)))
    gaps(service, 1)
    service.clean_up(older_than_days=30)
    assert service.get("gaps")["items"] == []
