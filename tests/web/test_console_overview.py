"""The console's start page in Chromium: what needs attention, and what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.web import analytics_data as data
from tests.web.conftest import Site, Watch
from tests.web.looking import judge
from tests.web.test_console import log_in
from tests.web.upstream import error, ready

pytestmark = pytest.mark.browser


def open_page(page: Page, site: Site) -> None:
    page.goto(f"{site.url}console/")
    log_in(page)
    expect(page.locator(".tiles")).to_be_visible()


def concern(page: Page, heading: str) -> Locator:
    items = page.get_by_role("region", name="What needs attention").get_by_role("listitem")
    return items.filter(has=page.get_by_role("heading", name=heading))


def test_all_that_needs_attention_leads_to_its_page(page: Page, site: Site) -> None:
    data.trouble(site.upstream, datetime.now(UTC))
    open_page(page, site)
    expect(page.get_by_role("heading", name="6 things need attention.")).to_be_visible()
    for heading, told, address in (
        ("The last call to doubao failed", "the provider answered 401", "#/access/providers"),
        (
            "The budget of “Reports” is used up",
            "$50.40 of $50.00 this month",
            "#/access/keys/key-2",
        ),
        ("“Shop” has used 92% of its budget", "$9.20 of $10.00 today", "#/access/keys/key-1"),
        ("A run of a workflow failed", "at which step", "#/studio/runs/run-7"),
        ("An upload has failed", "can be done again", "#/knowledge/add"),
        ("12 questions have no answer", "“可以寄到挪威吗？”", "#/gaps"),
    ):
        expect(concern(page, heading)).to_contain_text(told)
        expect(concern(page, heading).get_by_role("link")).to_have_attribute("href", address)
    expect(page.get_by_text("Calm")).to_have_count(0)


def test_a_failing_part_says_what_to_do(page: Page, site: Site) -> None:
    def healthy_but_kb(route: Route) -> None:
        service = route.request.url.split("/")[-2]
        body = ready(service, database="")
        if service == "kb":
            body["status"] = "degraded"
            body["checks"] = {"embedder": {"ok": False, "detail": "away or loading"}}
        route.fulfill(json=body)

    page.route("**/services/*/readyz", healthy_but_kb)
    open_page(page, site)
    told = concern(page, "Knowledge: Embedder")
    expect(told).to_contain_text("away or loading")
    expect(told).to_contain_text("pm2 restart trivet-embedder")
    expect(told.get_by_role("link")).to_have_attribute("href", "#/knowledge/collections")


def test_today_is_told_in_figures_and_by_the_hour(page: Page, site: Site) -> None:
    site.upstream.answers[data.STATISTICS] = (200, data.TODAY)
    open_page(page, site)
    today = page.get_by_role("region", name="Today")
    for figure in ("131", "$0.13", "0.48s", "95 of 100 within 2.1s", "133,620"):
        expect(today).to_contain_text(figure)
    expect(today.get_by_role("slider", name="Questions by the hour")).to_be_visible()
    expect(today.locator("rect")).to_have_count(24)
    expect(today.get_by_role("link", name="All figures")).to_have_attribute(
        "href", "#/analytics?days=1"
    )


@pytest.mark.parametrize("width", [360, 700, 1440])
def test_no_tile_is_left_alone_in_its_row(page: Page, site: Site, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    open_page(page, site)
    expect(page.locator(".tiles > div")).to_have_count(8)
    boxes = map(Locator.bounding_box, page.locator(".tiles > div").all())
    tops = [box["y"] for box in boxes if box]
    assert len({tops.count(top) for top in tops}) == 1


def test_what_could_not_be_looked_at_is_said(page: Page, site: Site, watch: Watch) -> None:
    watch.allow("status of 503")
    starting = (503, error(503, "overloaded_error", "Starting."))
    site.upstream.answers |= {data.KEYS: starting, data.JOBS: starting}
    open_page(page, site)
    expect(page.get_by_text("Could not be looked at: budgets, uploads.")).to_be_visible()
    site.upstream.reset()
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("Could not be looked at")).to_have_count(0)


def test_it_can_be_used_by_everyone_on_every_screen(page: Page, site: Site) -> None:
    data.trouble(site.upstream, datetime.now(UTC))
    open_page(page, site)
    expect(page.locator(".concerns > li")).to_have_count(6)
    judge(page)
