"""Records, newest first: filters and pages."""

from datetime import timedelta

import pytest

from services.analytics import queries
from tests.analytics.conftest import Service
from tests.analytics.making import Event, chat, failed, feedback, search


def walk(service: Service, limit: int, **filters: object) -> list[str]:
    """The ids of all pages."""
    ids: list[str] = []
    cursor: str | None = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = service.get("queries", limit=limit, **filters, **more)
        assert len(page["items"]) <= limit
        ids += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return ids


def test_pages_over_equal_times_hold_each_record_once(service: Service) -> None:
    same = [chat() for _ in range(25)]
    newer = [chat(ago=timedelta(seconds=-1)) for _ in range(3)]
    older = [chat(ago=timedelta(seconds=1)) for _ in range(3)]
    service.send(*older, *same, *newer)
    expected = [e["id"] for e in [*reversed(newer), *reversed(same), *reversed(older)]]
    for limit in (1, 7, 31, 100):
        assert walk(service, limit) == expected


def test_records_that_arrive_while_one_pages_do_not_shift_the_pages(service: Service) -> None:
    service.send(*(chat(ago=timedelta(minutes=n)) for n in range(4)))
    first = service.get("queries", limit=2)
    service.send(chat())
    second = service.get("queries", limit=2, cursor=first["next_cursor"])
    ids = [item["id"] for item in first["items"] + second["items"]]
    assert len(set(ids)) == 4
    assert second["next_cursor"] is None


EVENTS: dict[str, Event] = {
    "plain": chat("如何备份数据", session_id="s1", request_id="request-a"),
    "other": chat("100% _sure_", model="m2", extra={"gen_ai.provider.name": "local"}),
    "failed": failed("rate_limit_error", 429, question="Backup"),
    "search": search("如何备份", ago=timedelta(days=2)),
    "vote": feedback(ago=timedelta(days=3)),
}


@pytest.fixture(scope="module")
def filled(shared: Service) -> Service:
    shared.send(*EVENTS.values())
    return shared


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, {"plain", "other", "failed", "search", "vote"}),
        ({"kind": "chat"}, {"plain", "other", "failed"}),
        ({"service": "kb"}, {"search"}),
        ({"provider": "local"}, {"other"}),
        ({"model": "m2"}, {"other"}),
        ({"model": "never-seen"}, set()),
        ({"status": 429}, {"failed"}),
        ({"status": "error"}, {"failed"}),
        ({"status": "ok", "kind": "chat"}, {"plain", "other"}),
        ({"error_type": "rate_limit_error"}, {"failed"}),
        ({"session": "s1"}, {"plain"}),
        ({"request_id": "request-a"}, {"plain"}),
        ({"text": "备份"}, {"plain", "search"}),
        ({"text": "backup"}, {"failed"}),
        ({"text": "100% _"}, {"other"}),
        ({"text": "back*"}, {"failed"}),
        ({"text": "nobody*"}, set()),
        ({"text": "备"}, {"plain", "search"}),
        ({"text": "何备份"}, {"plain", "search"}),
        ({"text": "备份", "service": "kb"}, {"search"}),
        ({"text": "备份", "model": "never-seen"}, set()),
        ({"text": "备份", "session": "s1"}, {"plain"}),
        ({"text": "备份", "date_to": "2026-11-19"}, {"search"}),
        ({"text": "份备"}, set()),
        ({"date_from": "2026-11-20"}, {"plain", "other", "failed"}),
        ({"date_to": "2026-11-19"}, {"search", "vote"}),
        ({"date_from": "0001-01-01", "date_to": "9999-12-31", "kind": "search"}, {"search"}),
        ({"date_from": "2026-11-19T12:00:00Z", "date_to": "2026-11-21T12:00:00Z"}, {"search"}),
        ({"date_from": "2026-11-19T20:00:00+08:00", "date_to": "2026-11-20"}, {"search"}),
    ],
)
def test_filters(filled: Service, filters: dict[str, object], expected: set[str]) -> None:
    names = {one["id"]: name for name, one in EVENTS.items()}
    assert {names[record["id"]] for record in filled.queries(**filters)} == expected


def test_a_beginning_of_more_words_than_can_be_named_finds_them_all(
    filled: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = filled.queries(text="back*")
    monkeypatch.setattr(queries, "_MAX_NAMED_WORDS", 0)
    assert filled.queries(text="back*") == named != []


def test_a_filter_holds_over_pages(service: Service) -> None:
    wanted = [chat(model="m2", ago=timedelta(seconds=n)) for n in range(9)]
    service.send(*wanted, *(chat(ago=timedelta(seconds=n)) for n in range(9)))
    assert walk(service, 2, model="m2") == [e["id"] for e in wanted]


def test_a_plus_that_nobody_encoded_is_still_an_offset(service: Service) -> None:
    service.send(chat())
    raw = "/api/analytics/queries?date_from=2026-11-21T20:00:00+08:00"
    assert len(service.administrator.get(raw).json()["items"]) == 1
