"""The console's inbox of unanswered questions in Chromium, through the stack's own nginx."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.conftest import Site, Watch
from tests.web.library_data import ANSWERED, GAPS, stock
from tests.web.looking import judge
from tests.web.test_console import log_in
from tests.web.upstream import error

pytestmark = pytest.mark.browser
ANSWER = "/api/analytics/gaps/1/answer"


def open_page(page: Page, site: Site, address: str = "gaps") -> None:
    stock(site.upstream)
    page.goto(f"{site.url}console/#/{address}")
    log_in(page)
    expect(page.get_by_role("heading", name="Gaps", level=1)).to_be_visible()


def test_gaps_stand_in_their_order_with_what_is_known_of_them(page: Page, site: Site) -> None:
    open_page(page, site)
    rows = page.locator(".gaps > li")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("Do you ship to Norway?")
    expect(rows.first).to_contain_text("asked 8 times · 6 without a hit")
    expect(rows.nth(2)).to_contain_text("4 thumbs down")
    expect(page.get_by_text("2 questions wait to be sorted.")).to_be_visible()
    rows.first.get_by_text("2 other wordings").click()
    expect(rows.first.get_by_text("可以寄到挪威吗？")).to_be_visible()


def test_an_answer_is_stored_and_what_it_changed_is_shown(page: Page, site: Site) -> None:
    open_page(page, site)
    page.get_by_role("link", name="Answer this").first.click()
    field = page.get_by_role("textbox", name="Answer")
    expect(field).to_be_focused()
    expect(page.get_by_label("Title")).to_have_value("Do you ship to Norway?")
    expect(page.get_by_label("Language")).to_have_value("en")
    page.get_by_role("button", name="Store and ask again").click()
    expect(page.get_by_text("This is needed.")).to_be_visible()
    field.fill("Yes, within **five days**.")
    site.upstream.answers[f"POST {ANSWER}"] = (200, ANSWERED)
    page.get_by_role("button", name="Store and ask again").click()
    expect(page.get_by_text("Your answer is found for 2 of 3 questions.")).to_be_visible()
    rows = page.locator(".replay tbody tr")
    expect(rows.nth(0)).to_contain_text("nothing found")
    expect(rows.nth(0)).to_contain_text("your answer: place 1")
    expect(rows.nth(2)).to_contain_text("not among the first five")
    assert site.upstream.changes[-1][2] == {
        "title": "Do you ship to Norway?",
        "content": "Yes, within **five days**.",
        "collection": "site",
        "lang": "en",
    }


def test_a_question_in_chinese_is_answered_in_chinese(page: Page, site: Site) -> None:
    open_page(page, site, "gaps/2")
    expect(page.get_by_label("Language")).to_have_value("zh")
    expect(page.get_by_role("textbox", name="Answer")).to_have_attribute("lang", "zh")


def test_an_answer_that_was_refused_or_left_is_not_lost(
    page: Page, context: BrowserContext, site: Site, watch: Watch
) -> None:
    watch.allow("status of 503")
    watch.allow("status of 401")
    open_page(page, site, "gaps/1")
    field = page.get_by_role("textbox", name="Answer")
    field.fill("Yes.")
    away = error(503, "overloaded_error", "kb has not indexed the answer yet.")
    site.upstream.answers[f"POST {ANSWER}"] = (503, away)
    page.get_by_role("button", name="Store and ask again").click()
    expect(page.get_by_role("alert").last).to_contain_text("overloaded or starting")
    expect(field).to_have_value("Yes.")
    context.clear_cookies()
    page.get_by_role("button", name="Store and ask again").click()
    expect(page.get_by_text("The login has ended. Log in")).to_be_visible()
    log_in(page)
    expect(field).to_have_value("Yes.")
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="Everything is running.")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("textbox", name="Answer")).to_have_value("Yes.")


def test_an_empty_inbox_says_how_gaps_come_to_be(page: Page, site: Site) -> None:
    stock(site.upstream)
    nothing: dict[str, object] = {"items": [], "next_cursor": None, "unclustered": 0}
    site.upstream.answers["/api/analytics/gaps"] = (200, nothing)
    page.goto(f"{site.url}console/#/gaps")
    log_in(page)
    expect(page.get_by_text("No question is without an answer.")).to_be_visible()
    judge(page, "empty")
    page.get_by_role("link", name="Answered", exact=True).click()
    expect(page.get_by_text("No gap has been answered yet.")).to_be_visible()


def test_a_reading_that_failed_is_told_and_tried_again(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("status of 502")
    stock(site.upstream)
    site.upstream.answers["/api/analytics/gaps"] = (502, error(502, "proxy_error", "Gone."))
    page.goto(f"{site.url}console/#/gaps")
    log_in(page)
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    judge(page, "failed")
    stock(site.upstream)
    again.click()
    expect(page.locator(".gaps > li")).to_have_count(3)


@pytest.mark.parametrize(
    ("address", "part"), [("gaps", ".gaps > li"), ("gaps/9", "trivet-gap-answer textarea")]
)
def test_it_can_be_used_by_everyone_on_every_screen(
    page: Page, site: Site, address: str, part: str
) -> None:
    stock(site.upstream)
    both = {"items": [GAPS[0] | {"id": 9}, ANSWERED], "next_cursor": None, "unclustered": 0}
    site.upstream.answers["/api/analytics/gaps"] = (200, both)
    page.goto(f"{site.url}console/#/{address}")
    log_in(page)
    page.locator(part).first.wait_for()
    page.locator(".replay").first.wait_for()
    judge(page)
