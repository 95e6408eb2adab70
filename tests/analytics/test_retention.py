"""Cleaning up: first asked, then done; sums stay, space comes back."""

from datetime import timedelta

import pytest

from services.analytics.retention import database_bytes
from tests.analytics.conftest import Service
from tests.analytics.making import chat, failed, feedback, search

pytestmark = pytest.mark.process

OLD = timedelta(days=31)
NONE_DELETED = {
    "total": 0,
    "chat": 0,
    "search": 0,
    "feedback": 0,
    "workflow": 0,
    "error": 0,
    "embedding": 0,
}


def fill(service: Service) -> None:
    service.send(
        chat("old", ago=OLD, session_id="s-old"),
        failed(ago=OLD),
        search("old", found=0, ago=OLD),
        feedback(ago=OLD),
        chat("new", session_id="s-new"),
    )


def test_a_dry_run_says_what_would_go_and_takes_nothing(service: Service) -> None:
    fill(service)
    answer = service.clean_up(older_than_days=30, dry_run=True)
    assert answer["would_delete"] == NONE_DELETED | {
        "total": 4, "chat": 2, "search": 1, "feedback": 1,
    }  # fmt: skip
    assert answer["deleted"] == NONE_DELETED
    assert answer["cutoff"] == "2026-10-22T12:00:00.000000Z"
    assert len(service.queries()) == 5


def test_a_cleanup_takes_records_and_leaves_totals(service: Service) -> None:
    fill(service)
    before = service.statistics(days=60)
    answer = service.clean_up(older_than_days=30)
    assert answer["deleted"] == answer["would_delete"]
    assert answer["deleted"]["total"] == 4
    assert [record["text"] for record in service.queries()] == ["new"]
    after = service.statistics(days=60)
    assert {query["text"] for query in before.pop("top_queries")} == {"old", "new", "how"}
    assert {query["text"] for query in after.pop("top_queries")} == {"new"}
    assert after == before
    kept = answer["totals_kept"]
    assert (kept["total_questions"], kept["total_sessions"]) == (3, 2)
    assert kept["total_zero_hits"] == 1
    assert service.get("health")["rows"] == 1


def test_a_second_cleanup_finds_nothing(service: Service) -> None:
    fill(service)
    service.clean_up(older_than_days=30)
    assert service.clean_up(older_than_days=30)["deleted"] == NONE_DELETED


def test_an_event_from_before_the_cutoff_is_not_counted_twice(service: Service) -> None:
    old, older = chat(ago=OLD), chat(ago=OLD)
    service.send(old)
    service.clean_up(older_than_days=30)
    answer = service.send(old, older, chat())
    assert answer["accepted"] == 1
    assert [rejected["index"] for rejected in answer["rejected"]] == [0, 1]
    assert "before the cutoff" in answer["rejected"][0]["message"]
    assert service.statistics(days=60)["total_questions"] == 2


def test_many_records_go_in_steps_and_their_space_comes_back(service: Service) -> None:
    for _ in range(6):
        service.send(*(chat("x" * 500, ago=OLD) for _ in range(1_000)))
    size = database_bytes(service.settings.database_path)
    answer = service.clean_up(older_than_days=30)
    assert answer["deleted"]["total"] == 6_000
    assert answer["size_bytes"] < size / 5
    assert answer["freed_bytes"] == size - answer["size_bytes"]


def test_a_record_of_exactly_the_cutoff_stays(service: Service) -> None:
    cutoff = timedelta(days=30)
    service.send(chat(ago=cutoff), chat(ago=cutoff + timedelta(microseconds=1)))
    assert service.clean_up(older_than_days=30)["deleted"]["total"] == 1


@pytest.mark.parametrize("days", [0, -1, "many", None, 36_501, 1.5])
def test_a_number_of_days_that_is_none_is_refused(shared: Service, days: object) -> None:
    body = {"older_than_days": days}
    answer = shared.administrator.post("/api/analytics/cleanup", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["param"] == "older_than_days"


def test_what_was_asked_before_a_cleanup_no_longer_counts_among_top_queries(
    service: Service,
) -> None:
    old = timedelta(days=20)
    service.send(search("如何备份", ago=old), search("如何备份"))
    assert service.statistics()["top_queries"][0]["count"] == 2
    service.clean_up(older_than_days=10)
    assert service.statistics()["top_queries"][0]["count"] == 1
