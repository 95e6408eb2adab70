"""What a person can do with a conversation: edit, rate, leave and come back, reach somebody."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.conftest import Site, Watch
from tests.web.upstream import error

pytestmark = pytest.mark.browser


def answered(page: Page, site: Site, question: str, answer: str) -> str:
    """Asks, and answers; the request's id."""
    page.get_by_role("textbox", name="Ask a question").fill(question)
    page.keyboard.press("Enter")
    chat = site.upstream.next_chat()
    chat.open()
    chat.chunk(answer)
    chat.done()
    expect(page.locator(".answer").last).to_have_text(answer)
    expect(page.get_by_role("button", name="Copy answer").last).to_be_visible()
    return chat.headers["x-request-id"]


def test_a_question_asked_in_other_words_replaces_all_that_followed(page: Page, site: Site) -> None:
    page.goto(site.url)
    answered(page, site, "First", "One")
    answered(page, site, "Second", "Two")
    page.get_by_role("button", name="Edit the question").first.click()
    field = page.get_by_role("textbox", name="Edit the question")
    expect(field).to_be_focused()
    expect(field).to_have_value("First")
    field.fill("First, in other words")
    page.keyboard.press("Enter")
    chat = site.upstream.next_chat()
    assert [message["content"] for message in chat.body["messages"]] == ["First, in other words"]
    chat.open()
    chat.chunk("Another one")
    chat.done()
    expect(page.locator(".answer")).to_have_text(["Another one"])


def test_editing_can_be_given_up_without_losing_anything(page: Page, site: Site) -> None:
    page.goto(site.url)
    answered(page, site, "First", "One")
    page.get_by_role("button", name="Edit the question").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="First")).to_be_visible()
    expect(page.get_by_role("button", name="Edit the question")).to_be_focused()
    expect(page.locator(".answer")).to_have_text(["One"])


def test_a_thumb_counts_at_once_and_a_comment_follows(page: Page, site: Site) -> None:
    page.goto(site.url)
    request_id = answered(page, site, "First", "One")
    page.get_by_role("button", name="Not helpful").click()
    field = page.get_by_role("textbox", name="What was good or missing?")
    expect(field).to_be_focused()
    expect(page.get_by_role("button", name="Not helpful")).to_have_attribute("aria-pressed", "true")
    field.fill("The port is missing.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Thank you.")).to_be_visible()
    said = {"request_id": request_id, "rating": "down"}
    assert site.upstream.feedback == [
        {**said, "comment": None},
        {**said, "comment": "The port is missing."},
    ]


def test_an_opinion_that_does_not_arrive_is_said_so_and_can_be_given_again(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("status of 503")
    page.goto(site.url)
    answered(page, site, "First", "One")
    refused = (503, error(503, "overloaded_error", "Not now."))
    site.upstream.answers["/api/llm/feedback"] = refused
    thumb = page.get_by_role("button", name="Helpful", exact=True)
    thumb.click()
    expect(page.get_by_text("This could not be sent.")).to_be_visible()
    expect(thumb).to_have_attribute("aria-pressed", "false")
    del site.upstream.answers["/api/llm/feedback"]
    thumb.click()
    expect(thumb).to_have_attribute("aria-pressed", "true")


def test_a_conversation_is_there_again_after_a_reload(page: Page, site: Site) -> None:
    page.goto(site.url)
    answered(page, site, "First", "One")
    page.reload()
    expect(page.locator(".answer")).to_have_text(["One"])
    answered(page, site, "Second", "Two")
    expect(page.locator(".answer")).to_have_text(["One", "Two"])
    page.get_by_role("button", name="New conversation").click()
    page.reload()
    expect(page.get_by_role("heading", name="Ask Trivet")).to_be_visible()


def test_an_answer_cut_off_by_a_reload_keeps_what_came(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.get_by_role("textbox").fill("First")
    page.keyboard.press("Enter")
    chat = site.upstream.next_chat()
    chat.open()
    chat.chunk("Half")
    expect(page.locator(".answer")).to_have_text("Half")
    page.reload()
    expect(page.locator(".answer")).to_have_text("Half")
    expect(page.get_by_text("Stopped.").first).to_be_visible()
    page.get_by_role("button", name="Ask again").click()
    assert site.upstream.next_chat().question == "First"


def test_after_three_answers_a_person_can_be_reached(page: Page, site: Site) -> None:
    page.goto(site.url)
    card = page.get_by_role("complementary", name="Would you rather talk to a person?")
    for number in range(3):
        expect(card).to_have_count(0)
        answered(page, site, f"Question {number}", f"Answer{number}")
    expect(card.get_by_role("link", name="hello@example.com")).to_have_attribute(
        "href", "mailto:hello@example.com"
    )
    expect(card.get_by_role("link", name="+86 10")).to_have_attribute("href", "tel:+861000000000")
    card.get_by_role("button", name="Hide").click()
    expect(card).to_have_count(0)


def test_being_offline_is_said_before_anybody_asks(
    page: Page, context: BrowserContext, site: Site
) -> None:
    page.goto(site.url)
    notice = page.get_by_text("You are offline. Questions can be asked again")
    expect(page.get_by_role("heading", name="Ask Trivet")).to_be_visible()
    page.wait_for_load_state("networkidle")
    context.set_offline(True)
    expect(notice).to_be_visible()
    context.set_offline(False)
    expect(notice).to_have_count(0)


def test_ten_thousand_tokens_are_drawn_whole_and_a_long_past_is_drawn_once(
    page: Page, site: Site
) -> None:
    page.goto(site.url)
    page.get_by_role("textbox").fill("Tell me everything")
    page.keyboard.press("Enter")
    chat = site.upstream.next_chat()
    chat.open()
    chat.chunk("The beginning.\n\n")
    first = page.locator(".answer p").first
    expect(first).to_have_text("The beginning.")
    first.evaluate("node => { node.drawnOnce = true; }")
    for paragraph in range(100):
        for token in range(100):
            chat.chunk(f"**word{token}** " if token % 10 == 0 else f"word{token} ")
        chat.chunk(f"\n\nPart {paragraph}: ")
    chat.done()
    expect(page.get_by_role("button", name="Copy answer")).to_be_visible(timeout=60_000)
    expect(page.locator(".answer p")).to_have_count(102)
    expect(page.locator(".answer strong")).to_have_count(1000)
    assert first.evaluate("node => node.drawnOnce") is True
