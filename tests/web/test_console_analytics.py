"""The console's figures in Chromium, through the stack's own nginx."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.accessibility import faults
from tests.web.conftest import Site, Watch
from tests.web.test_console import log_in
from tests.web.upstream import TOKEN, TOTALS, error

pytestmark = pytest.mark.browser
STATISTICS = "/api/analytics/statistics"
LOOKS = [(1440, "light", "en-US"), (360, "dark", "zh-CN"), (360, "light", "en-US")]
REPORT = {
    **TOTALS,
    "first_token_seconds": {"p50": 0.42, "p95": 1.9, "p99": 3.0},
    "duration_seconds": {"p50": 2.4, "p95": 8.1, "p99": 12.0},
    "errors": {"timeout_error": 1, "rate_limit_error": 1},
    "series": [
        {
            "label": f"2026-01-{day:02}",
            "questions": (day * 7) % 12,
            "input_tokens": day * 900,
            "output_tokens": day * 120,
            "cost_usd": day / 1000,
            "errors": day % 2,
        }
        for day in range(1, 31)
    ],
    "by_model": [
        {
            "provider": "local",
            "model": "smollm2-135m",
            "questions": 128,
            "errors": 2,
            "input_tokens": 80000,
            "output_tokens": 10210,
            "cost_usd": 0.4182,
            "first_token_seconds": {"p50": 0.42, "p95": 1.9, "p99": 3.0},
        }
    ],
    "top_queries": [
        {"text": "How do I back up Trivet?", "count": 21, "zero_hits": 0},
        {"text": "可以寄到挪威吗？", "count": 8, "zero_hits": 6},
    ],
}


def open_page(page: Page, site: Site, query: str = "") -> None:
    site.upstream.answers[STATISTICS] = (200, REPORT)
    page.goto(f"{site.url}console/#/analytics{query}")
    log_in(page)
    expect(page.get_by_role("heading", name="Analytics", level=1)).to_be_visible()


def test_a_range_is_told_in_figures_a_chart_and_tables(page: Page, site: Site) -> None:
    open_page(page, site)
    expect(page.locator(".tiles").first).to_contain_text("90,210")
    expect(page.locator(".tiles").first).to_contain_text("95 of 100 within 1.9s")
    expect(page.get_by_role("img", name="at most 11")).to_be_visible()
    expect(page.locator(".chart rect")).to_have_count(30)
    expect(page.get_by_role("cell", name="How do I back up Trivet?")).to_be_visible()
    expect(page.get_by_role("cell", name="local/smollm2-135m")).to_be_visible()
    expect(page.get_by_text("timeout_error")).to_be_visible()
    page.get_by_text("The figures as a table").click()
    expect(page.get_by_role("cell", name="2026-01-30")).to_be_visible()
    export = page.get_by_role("link", name="All records (CSV)")
    expect(export).to_have_attribute("href", f"{site.url}api/analytics/export?format=csv")


def test_the_range_stands_in_the_address_and_is_asked_for(page: Page, site: Site) -> None:
    open_page(page, site, "?days=7&by=hour")
    expect(page.get_by_label("By", exact=True)).to_have_value("hour")
    with page.expect_request(f"**{STATISTICS}?days=90&group_by=day&**"):
        page.get_by_label("Range").select_option("90")
    expect(page.get_by_label("By", exact=True)).to_have_value("day")
    with page.expect_request(f"**{STATISTICS}?days=90&group_by=month&**"):
        page.get_by_label("By", exact=True).select_option("month")
    assert page.url.endswith("#/analytics?days=90&by=month")
    page.go_back()
    expect(page.get_by_label("By", exact=True)).to_have_value("day")


def test_a_range_without_questions_says_what_to_do(page: Page, site: Site) -> None:
    open_page(page, site)
    site.upstream.answers[STATISTICS] = (200, {"total_questions": 0, "total_searches": 0})
    page.get_by_label("Range").select_option("7")
    expect(page.get_by_text("Nothing was asked in this range.")).to_be_visible()


def test_a_failure_is_told_and_tried_again(page: Page, site: Site, watch: Watch) -> None:
    watch.allow("status of 503")
    open_page(page, site)
    site.upstream.answers[STATISTICS] = (503, error(503, "overloaded_error", "Starting."))
    page.get_by_label("Range").select_option("7")
    expect(page.get_by_role("alert")).to_contain_text("overloaded or starting")
    site.upstream.answers[STATISTICS] = (200, REPORT)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".chart")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme", "locale"), LOOKS)
def test_axe_finds_nothing_serious_and_nothing_is_cut(
    browser: Browser, site: Site, width: int, scheme: str, locale: str
) -> None:
    site.upstream.answers[STATISTICS] = (200, REPORT)
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        locale=locale,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{site.url}console/#/analytics")
    page.locator("#token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.locator(".chart")).to_be_visible()
    page.locator("summary").first.click()
    assert faults(page) == []
    content = page.locator(".content")
    assert content.evaluate("(element) => element.scrollWidth - element.clientWidth") == 0
    context.close()
