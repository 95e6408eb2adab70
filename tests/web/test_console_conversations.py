"""The console's conversations in Chromium, through the stack's own nginx."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import Site, Watch
from tests.web.conversation_data import (
    CONVERSATIONS,
    LIST,
    ONE,
    PASSAGES,
    TURNS,
    VISITOR,
    conversation,
    page_of,
    stock,
    whole,
)
from tests.web.looking import judge
from tests.web.test_console import log_in
from tests.web.upstream import error

pytestmark = pytest.mark.browser
THE_ONE = "conversations/8b0c9d6e-visit"


def open_page(page: Page, site: Site, address: str = "conversations") -> None:
    stock(site.upstream)
    page.goto(f"{site.url}console/#/{address}")
    log_in(page)
    expect(page.locator("trivet-conversations h1")).to_be_visible()


def test_conversations_stand_with_how_they_went(page: Page, site: Site) -> None:
    open_page(page, site)
    rows = page.locator(".conversations > li")
    expect(rows).to_have_count(4)
    expect(rows.first).to_contain_text("How do I back up Trivet")
    expect(rows.first).to_contain_text("3 questions")
    expect(rows.first).to_contain_text("1,450 tokens · $0.0041")
    expect(rows.first).to_contain_text("Error")
    expect(rows.first.get_by_text("1 thumb down")).to_have_count(1)
    expect(rows.nth(2)).to_contain_text("The question’s text is not kept.")
    site.upstream.answers[LIST] = (200, page_of(CONVERSATIONS[3], conversation("s-9", "Older?")))
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(5)  # one that moved up meanwhile does not stand there twice
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)


def test_what_is_looked_for_stands_in_the_address_and_is_asked_for(page: Page, site: Site) -> None:
    open_page(page, site)
    page.get_by_label("Words of a question").fill("restore")
    page.keyboard.press("Enter")
    expect(page.locator(".matching")).to_contain_text("And how do I restore it?")
    with page.expect_request(f"**{LIST}?**end_reason=error**"):
        page.get_by_label("Ended").select_option("error")
    with page.expect_request(f"**{LIST}?**assistant=site**"):
        page.get_by_label("Assistant").select_option("site")
    with page.expect_request(f"**{LIST}?**date_to=**") as asked:
        page.get_by_label("Up to").fill("2026-03-02")
        page.get_by_label("Up to").blur()
    sent = parse_qs(urlsplit(asked.value.url).query)
    assert sent["text"] == ["restore"]
    midnight = page.evaluate("new Date(2026, 2, 3).toISOString()")
    assert sent["date_to"] == [midnight]  # the day itself belongs to it, in the reader's zone
    page.reload()
    expect(page.get_by_label("Words of a question")).to_have_value("restore")
    expect(page.get_by_label("Ended")).to_have_value("error")
    page.locator(".conversations a").first.click()
    expect(page.get_by_role("heading", name="How do I back up Trivet?")).to_be_visible()
    page.locator("a.back").click()
    expect(page.get_by_label("Words of a question")).to_have_value("restore")


def test_one_conversation_is_told_whole(page: Page, site: Site) -> None:
    open_page(page, site, THE_ONE)
    turns = page.locator(".turns > li")
    expect(turns).to_have_count(3)
    first = turns.first
    expect(first.locator(".question")).to_have_text("How do I back up Trivet?")
    expect(first.locator("trivet-answer-text strong")).to_have_text("not lost")
    expect(first.locator(".figures")).to_contain_text("412 ms")
    expect(first.locator(".figures")).to_contain_text("2.6s")
    expect(first.locator(".figures")).to_contain_text("$0.0021")
    expect(first.get_by_text("Helpful")).to_be_visible()
    link = first.get_by_role("link", name="What belongs in a backup?").last
    address = "#/knowledge/documents/3f1c9b7a1?collection=site&passage=2"
    expect(link).to_have_attribute("href", address)
    first.get_by_text("1 search").click()
    expect(first.get_by_text("4 found, best 0.91")).to_be_visible()
    second, third = turns.nth(1), turns.nth(2)
    expect(second.locator("blockquote")).to_have_text("Which user must own the files?")
    expect(second).to_contain_text("instead of doubao, 3 attempts")
    expect(second).to_contain_text("A passage that is no longer there 999")
    expect(third).to_contain_text("timeout_error · HTTP 504")
    expect(third).to_contain_text("There was no answer.")
    expect(third).to_contain_text("Nothing was found for it.")
    expect(page.locator(".note")).to_have_count(0)


def test_what_is_not_kept_is_said_with_the_setting_that_keeps_it(page: Page, site: Site) -> None:
    stock(site.upstream)
    bare = [turn | {"answer": None, "question": None} for turn in TURNS[:1]]
    kept = {"stores_answers": False, "stores_questions": False, "earlier_turns": 12}
    site.upstream.answers[ONE] = (200, whole(*bare, **kept))
    page.goto(f"{site.url}console/#/{THE_ONE}")
    log_in(page)
    expect(page.get_by_text("12 earlier questions are left out.")).to_be_visible()
    expect(page.get_by_text("The text of this answer is not kept.")).to_be_visible()
    judge(page, "not kept")
    expect(page.locator(".note").first).to_contain_text("TRIVET_STORE_ANSWERS=true")
    link = page.locator(".note a").first
    expect(link).to_have_attribute("href", "#/settings/common?q=TRIVET_STORE_ANSWERS")


def test_a_visitors_day_is_one_step_away(page: Page, site: Site) -> None:
    open_page(page, site, THE_ONE)
    with page.expect_request(f"**{LIST}?**visitor={VISITOR}**"):
        page.get_by_role("link", name="This visitor’s conversations of the day").click()
    expect(page.get_by_text("Visitor 5f3c0a9b")).to_be_visible()
    page.get_by_role("button", name="Any visitor").click()
    expect(page.get_by_text("Visitor 5f3c0a9b")).to_have_count(0)


def test_an_answer_is_drawn_as_text_whatever_it_holds(page: Page, site: Site) -> None:
    stock(site.upstream)
    evil = TURNS[0] | {"answer": "<script>alert(1)</script>\n\n[x](javascript:alert(1)) **bold**"}
    site.upstream.answers[ONE] = (200, whole(evil))
    page.goto(f"{site.url}console/#/{THE_ONE}")
    log_in(page)
    expect(page.locator("trivet-answer-text strong")).to_have_text("bold")
    expect(page.locator("trivet-answer-text script")).to_have_count(0)
    assert "javascript:" not in page.locator("trivet-answer-text .answer").inner_html()


def test_passages_that_cannot_be_looked_up_leave_the_rest(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("status of 502")
    stock(site.upstream)
    site.upstream.answers[PASSAGES] = (502, error(502, "proxy_error", "kb is away."))
    page.goto(f"{site.url}console/#/{THE_ONE}")
    log_in(page)
    expect(page.get_by_text("The passages could not be looked up.").first).to_be_visible()
    expect(page.locator(".turns > li")).to_have_count(3)


def test_nobody_has_asked_and_nothing_fits_say_what_to_do(page: Page, site: Site) -> None:
    stock(site.upstream)
    site.upstream.answers[LIST] = (200, page_of())
    page.goto(f"{site.url}console/#/conversations")
    log_in(page)
    expect(page.get_by_text("Nobody has asked anything yet.")).to_be_visible()
    judge(page, "empty")
    link = page.get_by_role("link", name="Open the chat page")
    expect(link).to_have_attribute("href", site.url)
    page.goto(f"{site.url}console/#/conversations?text=xyz")
    expect(page.get_by_text("No conversation fits.")).to_be_visible()
    judge(page, "nothing fits")
    site.upstream.answers[LIST] = (200, page_of(cursor="7"))
    page.goto(f"{site.url}console/#/conversations?text=rare")
    expect(page.get_by_text("None among the records looked through so far.")).to_be_visible()
    site.upstream.answers[LIST] = (200, page_of(conversation("s-1", "A rare one")))
    page.get_by_role("button", name="Look further back").click()
    expect(page.get_by_text("A rare one")).to_be_visible()


def test_a_failed_reading_is_tried_again_and_a_wrong_address_told(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("status of 503")
    watch.allow("status of 404")
    stock(site.upstream)
    site.upstream.answers[LIST] = (503, error(503, "overloaded_error", "The database is busy."))
    page.goto(f"{site.url}console/#/conversations")
    log_in(page)
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    judge(page, "failed")
    page.get_by_label("Words of a question").fill("typed meanwhile")
    stock(site.upstream)
    again.click()
    expect(page.locator(".conversations > li")).to_have_count(4)
    expect(page.get_by_label("Words of a question")).to_have_value("typed meanwhile")
    gone = error(404, "not_found_error", "There is no conversation of this id.")
    site.upstream.answers[ONE] = (404, gone)
    page.goto(f"{site.url}console/#/conversations/nobody")
    expect(page.get_by_text("There is no such conversation.")).to_be_visible()


@pytest.mark.parametrize(
    "address", ["conversations", f"conversations?text=x&visitor={VISITOR}", THE_ONE]
)
def test_it_can_be_used_by_everyone_on_every_screen(page: Page, site: Site, address: str) -> None:
    open_page(page, site, address)
    page.locator("trivet-conversations .panel").first.wait_for()
    judge(page)
