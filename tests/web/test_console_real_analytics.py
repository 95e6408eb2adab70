"""The console's Analytics page before a running analytics: what a played one cannot get wrong."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Request, Route, expect

from services.analytics.app import create_app
from services.analytics.settings import Settings
from tests.analytics.making import Event, chat, failed, feedback, search
from tests.support.server import running
from tests.web.conftest import open_door
from tests.web.test_console import log_in
from tests.web.upstream import Upstream

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Real:
    """The door before a running analytics; llm_proxy and kb are played."""

    url: str
    admin_token: str
    events: httpx.Client

    def send(self, *events: Event) -> None:
        answer = self.events.post("/api/analytics/events", json={"events": list(events)})
        assert answer.json()["rejected"] == []

    def open(self, page: Page, address: str) -> None:
        """Opens a part of the page, with the administrator's token where a session would be."""

        def authorised(route: Route, request: Request) -> None:
            token = {"authorization": f"Bearer {self.admin_token}"}
            route.continue_(headers={**request.headers, **token})

        page.route("**/api/analytics/**", authorised)
        page.goto(f"{self.url}console/#/analytics{address}")
        log_in(page)


@pytest.fixture(scope="module")
def real(pages: Path, upstream: tuple[Upstream, str]) -> Iterator[Real]:
    assert pages.is_dir()
    upstream[0].reset()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        home.chmod(0o755)  # nginx's workers are not root
        settings = Settings(data_dir=home / "analytics")
        with running(create_app(settings)) as url:
            nginx, site = open_door(home, "/", upstream[1], analytics_url=url)
            admin, neighbour = (
                path.read_text().strip()
                for path in (settings.admin_token_path, settings.service_token_path)
            )
            headers = {"Authorization": f"Bearer {neighbour}"}
            with httpx.Client(base_url=url, headers=headers) as events:
                told = Real(site, admin, events)
                told.send(*_a_month())
                yield told
            nginx.stop()


def _a_month() -> list[Event]:
    now = datetime.now(UTC)
    asked = [
        chat("How do I back up?", time=now - timedelta(days=n % 20), session_id=f"s-{n}")
        for n in range(40)
    ]
    vote = feedback("down", time=now)
    return [
        *asked,
        chat("多少钱", model="m2", time=now),
        failed("timeout_error", 504, time=now),
        search("发票怎么开", found=0, time=now),
        search("发票怎么开", found=0, time=now - timedelta(days=300)),
        search("quantum", extra={"trivet.top_score": 0.2}, time=now),
        vote,
    ]


def test_figures_questions_and_models_are_those_of_the_service(page: Page, real: Real) -> None:
    real.open(page, "?tz=Asia/Katmandu")
    tiles = page.locator(".tiles > div")
    expect(tiles.first).to_have_text("Questions 42")
    expect(tiles.filter(has_text="First token")).to_contain_text("0.25s")
    expect(tiles.filter(has_text="Votes")).to_contain_text("0 · 1")
    expect(page.locator("trivet-chart").first.locator("rect")).to_have_count(30)
    page.get_by_role("link", name="Questions", exact=True).click()
    expect(page.get_by_role("region", name="Asked most")).to_contain_text("How do I back up?")
    without = page.get_by_role("region", name="Without an answer")
    expect(without).to_contain_text("发票怎么开")
    without.get_by_role("button", name="Found little").click()
    expect(without).to_contain_text("quantum")
    expect(page.get_by_role("row", name="Prices")).to_contain_text("1")
    page.get_by_role("link", name="Models", exact=True).click()
    expect(page.get_by_role("row", name="doubao, all models")).to_contain_text("42")
    expect(page.get_by_role("region", name="Errors by kind")).to_contain_text("timeout_error")


def test_live_records_come_as_they_arrive(page: Page, real: Real) -> None:
    real.open(page, "/live?kind=search")
    expect(page.locator(".state", has_text="Watching")).to_be_visible()
    now = datetime.now(UTC)
    real.send(chat("not shown", time=now), search("call 13812345678", found=0, time=now))
    expect(page.locator(".log li")).to_have_count(1)
    expect(page.locator(".log li")).to_contain_text("call [phone]")
    expect(page.locator(".log li")).to_contain_text("found nothing")


def test_the_export_holds_what_the_range_and_kind_say(page: Page, real: Real) -> None:
    real.open(page, "/records?days=365&kind=search")
    link = page.get_by_role("link", name="Download JSON lines")
    address = link.get_attribute("href")
    assert address is not None
    token = {"Authorization": f"Bearer {real.admin_token}"}
    lines = httpx.get(address, headers=token).text.splitlines()
    asked = [json.loads(line)["text"] for line in lines]
    assert asked.count("发票怎么开") == 2
    assert "How do I back up?" not in asked


def test_a_cleanup_takes_what_its_dry_run_showed(page: Page, real: Real) -> None:
    real.open(page, "/records")
    page.get_by_label("Older than, in days").fill("200")
    page.get_by_role("button", name="Show what would go").click()
    page.get_by_label("To delete them, type").fill("delete")
    page.get_by_role("button", name="Delete one record").click()
    expect(page.get_by_text("One record is deleted")).to_be_visible()
    page.get_by_role("button", name="Clean up something else").click()
    page.get_by_label("Older than, in days").fill("200")
    page.get_by_role("button", name="Show what would go").click()
    expect(page.get_by_text("Nothing would go.")).to_be_visible()
