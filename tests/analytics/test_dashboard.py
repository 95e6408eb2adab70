"""Statistics about poems, with kb as it is beside analytics."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from services.analytics.app import create_app
from services.analytics.dashboard_schemas import PoemsQuery
from services.analytics.settings import Settings
from services.kernel.auth import ensure_token
from tests.analytics.making import NOW, event
from tests.kb.conftest import Kb, running_kb
from tests.kb.poem_making import briefing, created, made_by_a_model, poem, translation
from tests.kb.test_poems_statistics import backdate
from tests.support.ports import free_port
from tests.support.server import running

pytestmark = pytest.mark.process


@dataclass
class Pair:
    """analytics' administrator, and the kb that it counts in."""

    client: httpx.Client
    kb: Kb

    def get(self, name: str, **params: str) -> dict[str, Any]:
        response = self.client.get(f"/api/v1/statistics/{name}", params=params)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer


def analytics(data_dir: Path, kb_url: str) -> Iterator[httpx.Client]:
    settings = Settings(data_dir=data_dir, kb_urls=(kb_url,))
    with running(create_app(settings, now=lambda: NOW)) as base_url:
        headers = {"Authorization": f"Bearer {ensure_token(settings.admin_token_path)}"}
        with httpx.Client(base_url=base_url, headers=headers, timeout=30) as client:
            yield client


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with running_kb(tmp_path, {}) as kb:
        for client in analytics(tmp_path, kb.base_url):
            yield Pair(client, kb)


def test_the_dashboard_counts_what_there_is(pair: Pair) -> None:
    client = pair.kb.admin
    made = created(client, "", poem())["id"]
    created(client, "", poem(author="杜甫", is_selected=True))
    created(client, f"/{made}/translations", made_by_a_model(quality_rating=8))
    created(client, f"/{made}/translations", translation())
    created(client, f"/{made}/briefings", briefing())
    answer = pair.get("dashboard")
    assert (answer["total_poets"], answer["total_poems"], answer["selected_poems"]) == (2, 2, 1)
    assert (answer["total_translations"], answer["total_briefings"]) == (2, 1)
    assert (answer["ai_translations"], answer["human_translations"]) == (1, 1)
    ai, human = answer["comparison"]["ai"], answer["comparison"]["human"]
    assert (ai["average_rating"], ai["input_tokens"], ai["cost_usd"]) == (8, 100, 0.25)
    assert (human["rated"], human["average_rating"], human["cost_usd"]) == (0, None, None)
    assert answer["by_workflow"][0]["mode"] == "hybrid"
    assert [item["kind"] for item in answer["recent_activity"]] == [
        "briefing",
        "translation",
        "translation",
        "poem",
        "poem",
    ]


def test_the_dashboard_is_right_at_once_after_a_deletion(pair: Pair) -> None:
    made = created(pair.kb.admin, "", poem())["id"]
    other = created(pair.kb.admin, f"/{made}/translations", translation())["id"]
    assert pair.get("dashboard")["human_translations"] == 1
    path = f"/api/v1/poems/{made}"
    assert pair.kb.admin.delete(f"{path}/translations/{other}").status_code == 204
    assert pair.get("dashboard")["total_translations"] == 0
    assert pair.kb.admin.delete(path).status_code == 204
    answer = pair.get("dashboard")
    assert (answer["total_poets"], answer["total_poems"]) == (0, 0)
    assert answer["recent_activity"] == []


def test_a_cleanup_of_events_takes_nothing_from_the_statistics_of_poems(pair: Pair) -> None:
    made = created(pair.kb.admin, "", poem())["id"]
    created(pair.kb.admin, f"/{made}/translations", translation())
    old = event("workflow", {"trivet.workflow": "translation"}, ago=timedelta(days=10))
    sent = pair.client.post("/api/analytics/events", json={"events": [old]})
    assert sent.json()["accepted"] == 1, sent.text
    before = pair.get("dashboard")
    wanted = {"older_than_days": 1, "dry_run": False}
    gone = pair.client.post("/api/analytics/cleanup", json=wanted).json()
    assert gone["deleted"]["workflow"] == 1, gone
    assert pair.get("dashboard") == before
    assert before["total_translations"] == 1


def test_productivity_has_every_period_of_the_days(pair: Pair) -> None:
    made = created(pair.kb.admin, "", poem())["id"]
    human = created(pair.kb.admin, f"/{made}/translations", translation())["id"]
    model = created(pair.kb.admin, f"/{made}/translations", made_by_a_model())["id"]
    backdate(pair.kb.data_dir, "poems", made, "2026-01-31T10:00:00.000000Z")
    backdate(pair.kb.data_dir, "translations", human, "2026-02-01T10:00:00.000000Z")
    backdate(pair.kb.data_dir, "translations", model, "2026-02-02T10:00:00.000000Z")
    days = {"date_from": "2026-01-30", "date_to": "2026-02-03"}

    def made_in(group_by: str) -> list[tuple[str, str, int, int, int, int]]:
        answer = pair.get("analytics", **days, group_by=group_by)
        assert (answer["date_from"], answer["date_to"]) == (days["date_from"], days["date_to"])
        return [
            (p["label"], p["start"], p["poems"], p["translations"], p["ai_translations"],
             p["human_translations"])
            for p in answer["productivity"]
        ]  # fmt: skip

    assert made_in("day") == [
        ("2026-01-30", "2026-01-30", 0, 0, 0, 0),
        ("2026-01-31", "2026-01-31", 1, 0, 0, 0),
        ("2026-02-01", "2026-02-01", 0, 1, 0, 1),
        ("2026-02-02", "2026-02-02", 0, 1, 1, 0),
        ("2026-02-03", "2026-02-03", 0, 0, 0, 0),
    ]
    assert made_in("week") == [
        ("2026-W05", "2026-01-30", 1, 1, 0, 1),
        ("2026-W06", "2026-02-02", 0, 1, 1, 0),
    ]
    assert made_in("month") == [
        ("2026-01", "2026-01-30", 1, 0, 0, 0),
        ("2026-02", "2026-02-01", 0, 2, 1, 1),
    ]


def test_only_the_days_asked_for_are_counted(pair: Pair) -> None:
    made = created(pair.kb.admin, "", poem())["id"]
    backdate(pair.kb.data_dir, "poems", made, "2026-01-31T10:00:00.000000Z")
    january = {"date_from": "2026-01-01", "date_to": "2026-01-31"}
    assert pair.get("analytics", **january)["total_poems"] == 1
    answer = pair.get("analytics")
    assert (answer["total_poems"], len(answer["productivity"])) == (0, 30)
    assert (answer["date_from"], answer["date_to"]) == ("2026-10-23", "2026-11-21")


def test_days_that_make_no_sense_are_refused(pair: Pair) -> None:
    for params in (
        {"date_from": "2026-02-02", "date_to": "2026-02-01"},
        {"date_from": "1990-01-01"},
        {"date_from": "yesterday"},
        {"date_to": "9999-12-31"},
        {"group_by": "hour"},
    ):
        response = pair.client.get("/api/v1/statistics/analytics", params=params)
        assert response.status_code == 422, params


def test_days_that_are_not_given_are_the_last_thirty() -> None:
    today = date(2026, 3, 1)
    assert PoemsQuery().days(today)[::29] == [date(2026, 1, 31), today]
    until = PoemsQuery(date_to=date(2020, 1, 30)).days(today)
    assert (until[0], until[-1]) == (date(2020, 1, 1), date(2020, 1, 30))
    assert PoemsQuery(date_from=date(2026, 2, 28)).days(today) == [date(2026, 2, 28), today]
    later = date(2026, 5, 1)
    assert PoemsQuery(date_from=later).days(today) == [later]


def test_while_kb_is_away_the_statistics_say_so(tmp_path: Path) -> None:
    for client in analytics(tmp_path, f"http://127.0.0.1:{free_port()}"):
        for name in ("dashboard", "analytics"):
            response = client.get(f"/api/v1/statistics/{name}")
            error = response.json()["error"]
            assert (response.status_code, error["type"]) == (503, "overloaded_error")
            assert error["message"] == "Poems are counted by kb, which does not answer now."
            assert response.headers["retry-after"] == "5"


@pytest.mark.parametrize(("status", "body"), [(500, "oh"), (200, "oh"), (200, "{}")])
def test_an_answer_that_is_not_kbs_is_no_answer(tmp_path: Path, status: int, body: str) -> None:
    async def answer(_request: object) -> PlainTextResponse:
        return PlainTextResponse(body, status_code=status)

    path = "/api/v1/poems/statistics"
    with running(Starlette(routes=[Route(path, answer)])) as kb_url:
        for client in analytics(tmp_path, kb_url):
            assert client.get("/api/v1/statistics/dashboard").status_code == 503
