"""The chat page in Chromium, through the stack's own nginx."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.wait import until
from tests.web.conftest import Site, Watch
from tests.web.upstream import CITATIONS, Chat, error, models

pytestmark = pytest.mark.browser


def ask(page: Page, site: Site, question: str = "How do I back up Trivet?") -> Chat:
    """Types a question and sends it; the chat as it arrived behind nginx."""
    page.get_by_role("textbox").fill(question)
    page.keyboard.press("Enter")
    return site.upstream.next_chat()


@pytest.mark.parametrize("site", ["/", "/~temp/mogine_agent/"], indirect=True)
def test_an_answer_appears_piece_by_piece_under_every_prefix(page: Page, site: Site) -> None:
    page.goto(site.url)
    chat = ask(page, site)
    assert chat.question == "How do I back up Trivet?"
    assert chat.body["model"] == "assistant/site"
    assert chat.body["stream"] is True
    assert len(chat.headers["x-session-id"]) == 32
    answer = page.locator(".answer")
    chat.open()
    chat.chunk(citations=[])
    shown = ""
    for piece in ("Stop", " it, then", " **copy** ", "the folder."):
        chat.chunk(piece)
        shown += piece.replace("**", "")
        expect(answer).to_have_text(shown.strip())  # before the next piece is sent
    chat.done()
    expect(page.get_by_role("button", name="Copy answer")).to_be_visible()
    expect(answer.locator("strong")).to_have_text("copy")


def test_characters_and_lines_cut_anywhere_arrive_whole(page: Page, site: Site) -> None:
    page.goto(site.url)
    chat = ask(page, site)
    chat.open()
    event = 'data: {"choices":[{"delta":{"content":"三足鼎立🍲"}}]}\r\n\r\n'.encode()
    for cut in range(0, len(event), 2):
        chat.send(event[cut : cut + 2])
    expect(page.locator(".answer")).to_have_text("三足鼎立🍲")
    chat.done()
    expect(page.locator(".failure")).to_have_count(0)


@pytest.mark.parametrize("way", ["button", "escape"])
def test_stop_reaches_the_upstream_and_keeps_what_came(page: Page, site: Site, way: str) -> None:
    page.goto(site.url)
    chat = ask(page, site)
    chat.open()
    chat.chunk("Half an answer")
    expect(page.locator(".answer")).to_have_text("Half an answer")
    if way == "button":
        page.get_by_role("button", name="Stop").click()
    else:
        page.keyboard.press("Escape")
    assert chat.disconnected.wait(10)
    expect(page.get_by_text("Stopped.").first).to_be_visible()
    expect(page.locator(".answer")).to_have_text("Half an answer")
    expect(page.get_by_role("textbox")).to_be_focused()


def test_stop_reaches_the_upstream_before_the_first_byte(page: Page, site: Site) -> None:
    page.goto(site.url)
    chat = ask(page, site)
    page.get_by_role("button", name="Stop").click()
    assert chat.disconnected.wait(10)
    page.get_by_role("button", name="Ask again").click()
    assert site.upstream.next_chat().question == chat.question


def test_leaving_the_page_stops_the_upstream(page: Page, site: Site) -> None:
    page.goto(site.url)
    chat = ask(page, site)
    chat.open()
    chat.chunk("Half")
    page.goto("about:blank")
    assert chat.disconnected.wait(10)


def test_an_error_in_the_stream_is_told_in_words_and_retried(page: Page, site: Site) -> None:
    page.goto(site.url)
    chat = ask(page, site)
    chat.open()
    chat.chunk("Half")
    chat.event(error(502, "proxy_error", "API proxy error: it broke."), "error")
    chat.end()
    failure = page.locator(".failure")
    expect(failure).to_contain_text("The service that should answer refused or failed.")
    expect(page.locator(".answer")).to_have_text("Half")
    failure.get_by_text("What the server said").click()
    expect(failure).to_contain_text("API proxy error: it broke.")
    expect(failure).to_contain_text("request-0001")
    failure.get_by_role("button", name="Try again").click()
    again = site.upstream.next_chat()
    assert again.question == chat.question
    again.open()
    again.chunk("Whole")
    again.done()
    expect(page.locator(".answer")).to_have_text("Whole")
    expect(failure).to_have_count(0)


@pytest.mark.parametrize(
    ("status", "kind", "headers", "words"),
    [
        (429, "rate_limit_error", {"retry_after": "7"}, "Try again in 7 seconds."),
        (401, "authentication_error", {}, "You are not logged in"),
        (404, "not_found_error", {}, "was not found"),
        (422, "invalid_request_error", {}, "could not accept"),
        (500, "internal_error", {}, "went wrong on the server"),
        (503, "overloaded_error", {"retry_after": "5"}, "overloaded or starting"),
        (504, "timeout_error", {}, "took too long"),
    ],
)
def test_each_refusal_has_its_words(
    page: Page,
    site: Site,
    watch: Watch,
    status: int,
    kind: str,
    headers: dict[str, str],
    words: str,
) -> None:
    watch.allow(f"status of {status}")
    page.goto(site.url)
    ask(page, site).fail(status, kind, "As the contract says.", **headers)
    expect(page.locator(".failure")).to_contain_text(words)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_a_stream_without_its_end_is_called_broken_off(page: Page, site: Site) -> None:
    page.goto(site.url)
    chat = ask(page, site)
    chat.open()
    chat.chunk("Half")
    chat.end()
    expect(page.locator(".failure")).to_contain_text("broke off before its end")


def test_offline_is_told_and_the_question_kept(
    page: Page, context: BrowserContext, site: Site, watch: Watch
) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED")
    page.goto(site.url)
    expect(page.get_by_role("heading", name="Ask Trivet")).to_be_visible()
    page.wait_for_load_state("networkidle")
    context.set_offline(True)
    page.get_by_role("textbox").fill("Are you there?")
    page.keyboard.press("Enter")
    expect(page.locator(".failure")).to_contain_text("You are offline")
    context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    assert site.upstream.next_chat().question == "Are you there?"


def test_sources_are_links_and_passages(page: Page, site: Site) -> None:
    page.goto(site.url)
    chat = ask(page, site)
    chat.open()
    chat.chunk(citations=CITATIONS)
    link = page.get_by_role("link", name="Source 1 How do I back up Trivet? Back up and restore")
    expect(link).to_have_attribute("href", "https://docs.example.com/en/backup#how")
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    passage = page.get_by_role("button", name="Source 2")
    passage.click()
    expect(passage).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("region", name="Passage")).to_contain_text("The folder data/ holds")
    chat.chunk("Stop it [1], then copy [2], not [9].")
    chat.done()
    marks = page.locator(".answer .cite")
    expect(marks).to_have_text(["1", "2"])
    expect(marks.first.get_by_role("link")).to_have_attribute("href", str(CITATIONS[0]["url"]))


def test_an_answer_cannot_run_anything(page: Page, site: Site) -> None:
    page.goto(site.url)
    chat = ask(page, site)
    chat.open()
    chat.chunk("<img src=x onerror=\"document.title='taken'\">\n\n[a](javascript:alert(1)) ")
    chat.chunk("<script>document.title='taken'</script>\n\n![](https://example.com/spy.png)")
    chat.done()
    expect(page.locator(".answer")).to_contain_text("<script>document.title")
    expect(page.get_by_role("button", name="Copy answer")).to_be_visible()
    expect(page.locator(".answer :is(img, script, [onerror])")).to_have_count(0)
    assert page.title() == "Trivet"
    hrefs = page.locator(".answer a").evaluate_all("links => links.map((link) => link.href)")
    assert not any(href.startswith("javascript:") for href in hrefs)


def test_code_is_copied(page: Page, context: BrowserContext, site: Site) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(site.url)
    chat = ask(page, site)
    chat.open()
    chat.chunk("```sh\nmake run\n```\n")
    chat.done()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == "make run"


def test_enter_sends_and_shift_enter_does_not(page: Page, site: Site) -> None:
    page.goto(site.url)
    box = page.get_by_role("textbox")
    expect(box).to_be_focused()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    assert site.upstream.next_chat().question == "one\ntwo"
    expect(box).to_have_value("")


def test_enter_that_chooses_a_chinese_word_does_not_send(
    page: Page, context: BrowserContext, site: Site
) -> None:
    page.goto(site.url)
    expect(page.get_by_role("textbox")).to_be_focused()
    ime = context.new_cdp_session(page)
    ime.send("Input.imeSetComposition", {"text": "ni", "selectionStart": 2, "selectionEnd": 2})
    page.keyboard.press("Enter")
    assert site.upstream.chats.empty()
    ime.send("Input.insertText", {"text": "你好"})
    # Without a real input method the key's own line end stays in the box.
    expect(page.get_by_role("textbox")).to_have_value(re.compile("你好\\s*"))
    page.keyboard.press("Enter")
    assert site.upstream.next_chat().question == "你好"


def test_typing_goes_on_while_an_answer_runs_and_nothing_is_lost(page: Page, site: Site) -> None:
    page.goto(site.url)
    chat = ask(page, site)
    chat.open()
    chat.chunk("Half")
    page.get_by_role("textbox").fill("And then?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox")).to_have_value("And then?")
    chat.done()
    page.get_by_role("button", name="Send").click()
    followed = site.upstream.next_chat()
    said = [message["content"] for message in followed.body["messages"]]
    assert said == ["How do I back up Trivet?", "Half", "And then?"]
    assert followed.headers["x-session-id"] == chat.headers["x-session-id"]


def test_a_new_conversation_has_a_new_session_and_no_past(page: Page, site: Site) -> None:
    page.goto(site.url)
    first = ask(page, site)
    first.open()
    first.chunk("Answer")
    first.done()
    expect(page.get_by_role("button", name="Copy answer")).to_be_visible()
    page.get_by_role("button", name="New conversation").click()
    expect(page.get_by_role("heading", name="Ask Trivet")).to_be_visible()
    page.get_by_role("button", name="What is Trivet?").click()
    second = site.upstream.next_chat()
    assert [message["content"] for message in second.body["messages"]] == ["What is Trivet?"]
    assert second.headers["x-session-id"] != first.headers["x-session-id"]


def test_the_page_says_when_the_small_model_answers(page: Page, site: Site) -> None:
    note = page.get_by_text("A small local model answers, for trials.")
    page.goto(site.url)
    expect(page.get_by_role("heading", name="Ask Trivet")).to_be_visible()
    expect(note).to_have_count(0)
    chat = ask(page, site)
    chat.open()
    chat.chunk(model="assistant/site", citations=[])
    chat.chunk("Hi", model="smollm2-135m")
    expect(note).to_be_visible()
    chat.done()
    site.upstream.answers["/v1/models"] = (200, models("local/smollm2-135m"))
    page.reload()
    expect(note).to_be_visible()


def test_the_chat_works_where_nothing_is_known_of_the_site(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("status of 502")
    refused = (502, error(502, "proxy_error", "API proxy error: gone."))
    site.upstream.answers["/api/llm/assistants/site"] = refused
    site.upstream.answers["/v1/models"] = refused
    page.goto(site.url)
    expect(page.get_by_role("heading", name="Ask Trivet")).to_be_visible()
    chat = ask(page, site)
    chat.open()
    chat.chunk("Still here.")
    chat.done()
    expect(page.locator(".answer")).to_have_text("Still here.")


def test_answers_are_announced_once_and_whole(page: Page, site: Site) -> None:
    page.goto(site.url)
    chat = ask(page, site)
    status = page.get_by_role("status")
    chat.open()
    for piece in ("One ", "two ", "**three**."):
        chat.chunk(piece)
        expect(page.locator(".answer")).to_contain_text(piece.strip(" *."))
        expect(status).to_have_text("The answer is being written.")
    chat.done()
    expect(status).to_have_text("Answer: One two three.")


def test_the_newest_line_stays_in_view_unless_one_reads_above(page: Page, site: Site) -> None:
    page.goto(site.url)
    chat = ask(page, site)
    chat.open()
    chat.chunk("".join(f"Line {n}.\n\n" for n in range(60)))
    expect(page.get_by_text("Line 59.")).to_be_in_viewport()
    page.locator(".scroll").hover()
    page.mouse.wheel(0, -2000)
    newest = page.get_by_role("button", name="To the newest")
    expect(newest).to_be_visible()
    chat.chunk("The very last.")
    expect(page.get_by_text("The very last.")).to_be_attached()
    expect(page.get_by_text("The very last.")).not_to_be_in_viewport()
    newest.click()
    expect(page.get_by_text("The very last.")).to_be_in_viewport()
    chat.done()


def test_what_was_drawn_stays_selected_while_the_answer_grows(page: Page, site: Site) -> None:
    page.goto(site.url)
    chat = ask(page, site)
    chat.open()
    chat.chunk("Chosen words, and")
    expect(page.locator(".answer p")).to_have_text("Chosen words, and")
    first = page.locator(".answer p").element_handle()
    chat.chunk(" more.\n\nAnother paragraph.")
    expect(page.locator(".answer p")).to_have_text(
        ["Chosen words, and more.", "Another paragraph."]
    )
    assert first.evaluate("(node) => node.isConnected && node.textContent") == (
        "Chosen words, and more."
    )
    chat.done()


def test_chinese_is_spoken_to_a_chinese_browser_and_can_be_switched(
    page: Page, context: BrowserContext, site: Site
) -> None:
    page.add_init_script(
        "Object.defineProperty(navigator, 'languages', { get: () => ['zh-CN', 'en'] })"
    )
    page.goto(site.url)
    expect(page.get_by_role("heading", name="向小足提问")).to_be_visible()
    assert page.evaluate("() => document.documentElement.lang") == "zh-CN"
    chat = ask(page, site, "如何备份？")
    chat.open()
    chat.chunk(citations=CITATIONS)
    expect(page.get_by_text("正在思考…")).to_be_visible()
    chat.event(error(504, "timeout_error", "late"), "error")
    chat.end()
    expect(page.locator(".failure")).to_contain_text("模型响应超时。")
    page.get_by_role("button", name="Switch to English").click()
    expect(page.locator(".failure")).to_contain_text("The model took too long.")
    page.get_by_role("button", name="New conversation").click()
    page.reload()
    expect(page.get_by_role("heading", name="Ask Trivet")).to_be_visible()


def test_light_and_dark_follow_the_system_until_chosen(page: Page, site: Site) -> None:
    def ground() -> str:
        return str(
            page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor")
        )

    page.emulate_media(color_scheme="dark")
    page.goto(site.url)
    dark = ground()
    page.emulate_media(color_scheme="light")
    light = ground()
    assert dark != light
    page.get_by_role("button", name="Theme: like the system").click()
    page.get_by_role("button", name="Theme: light").click()
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert ground() == dark
    page.reload()
    until(lambda: ground() == dark, what="the choice is remembered")


def test_nothing_moves_for_those_who_ask_for_calm(page: Page, site: Site) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(site.url)
    ask(page, site)
    leg = page.locator("trivet-turn .leg").first
    assert leg.evaluate("(leg) => getComputedStyle(leg).animationIterationCount") == "1"


@pytest.mark.parametrize("path", ["", "console/"])
def test_a_narrow_screen_is_never_wider_than_itself(page: Page, site: Site, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(site.url + path)
    expect(page.get_by_role("heading").first).to_be_visible()
    if not path:
        chat = ask(page, site, "w" * 200)
        chat.open()
        chat.chunk("| a | b |\n|---|---|\n| " + "x" * 300 + " | y |\n\n`" + "z" * 300 + "`\n")
        chat.done()
        expect(page.get_by_role("button", name="Copy answer")).to_be_visible()
    assert page.evaluate("() => document.scrollingElement.scrollWidth") == 360
    assert page.locator("body").evaluate(
        "() => [...document.querySelectorAll('trivet-chat')]"
        ".map((chat) => chat.shadowRoot.querySelector('.scroll'))"
        ".every((scroll) => scroll.scrollWidth <= scroll.clientWidth)"
    )


@pytest.mark.parametrize("path", ["", "console/"])
def test_the_pages_come_with_a_strict_policy(page: Page, site: Site, path: str) -> None:
    response = page.goto(site.url + path)
    assert response is not None
    policy = response.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    html = response.text()
    assert "<style" not in html
    assert "style=" not in html
    assert html.count("<script") == html.count('<script type="module" crossorigin src="')
