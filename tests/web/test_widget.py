"""The chat on a page of another origin: one script, one element."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.support.server import running
from tests.web.conftest import Site, Watch
from tests.web.upstream import KEY, VISITOR_TOKEN

pytestmark = pytest.mark.browser


@dataclass
class ForeignSite:
    """A page of somebody else's; `body` is what it holds."""

    url: str
    body: str = ""


@pytest.fixture(scope="module")
def foreign() -> Iterator[ForeignSite]:
    site = ForeignSite("")

    async def page(_request: Request) -> Response:
        return HTMLResponse(f"<!doctype html><html lang='en'><title>Shop</title>{site.body}</html>")

    async def icon(_request: Request) -> Response:
        return Response(status_code=204)

    app = Starlette(routes=[Route("/favicon.ico", icon), Route("/{path:path}", page)])
    with running(app) as url:
        site.url = url
        yield site


def embed(site: Site, foreign: ForeignSite, *attributes: str) -> None:
    script = f'<script type="module" src="{site.url}widget.js"></script>'
    element = f'<trivet-chat assistant="site" {" ".join(attributes)}></trivet-chat>'
    foreign.body = f"<h1>Shop</h1><button>Buy</button>{script}{element}"
    site.upstream.allowed_origin = foreign.url


def test_a_button_opens_a_chat_that_answers(page: Page, site: Site, foreign: ForeignSite) -> None:
    embed(site, foreign, 'mode="button"', f'key="{KEY}"')
    page.goto(foreign.url)
    launcher = page.get_by_role("button", name="Ask Trivet")
    expect(launcher).to_have_attribute("aria-expanded", "false")
    launcher.click()
    panel = page.get_by_role("dialog", name="Chat with Trivet")
    expect(panel.get_by_role("textbox")).to_be_focused()
    panel.get_by_role("textbox").fill("Hello?")
    page.keyboard.press("Enter")
    chat = site.upstream.next_chat()
    assert chat.headers["authorization"] == f"Bearer {VISITOR_TOKEN}"
    assert chat.headers["origin"] == foreign.url
    chat.open()
    chat.chunk("Hello **there**")
    chat.done()
    expect(panel.locator(".answer")).to_have_text("Hello there")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(launcher).to_be_focused()
    launcher.click()
    expect(panel.locator(".answer")).to_have_text("Hello there")


def test_the_page_around_can_ask_and_listen(page: Page, site: Site, foreign: ForeignSite) -> None:
    embed(site, foreign, f'key="{KEY}"')
    page.goto(foreign.url)
    page.wait_for_function("customElements.get('trivet-chat') !== undefined")
    page.evaluate(
        """() => {
          window.heard = [];
          for (const name of ["question", "answer", "failure"])
            addEventListener(`trivet-${name}`, ({ detail }) =>
              window.heard.push([name, detail.question]));
          document.querySelector("trivet-chat").ask("From the page");
        }"""
    )
    chat = site.upstream.next_chat()
    chat.open()
    chat.chunk("Yes")
    chat.done()
    page.wait_for_function("window.heard.length === 2")
    heard = [["question", "From the page"], ["answer", "From the page"]]
    assert page.evaluate("window.heard") == heard
    assert page.evaluate("document.querySelector('trivet-chat').turns[0].answer") == "Yes"


def test_it_takes_no_focus_and_leaves_the_page_its_styles(
    page: Page, site: Site, foreign: ForeignSite
) -> None:
    embed(site, foreign, f'key="{KEY}"')
    page.goto(foreign.url)
    expect(page.get_by_role("heading", name="Ask Trivet")).to_be_visible()
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).fontFamily") != ""
    assert page.evaluate("document.styleSheets.length") == 0


def test_without_its_key_a_foreign_page_gets_no_answer(
    page: Page, site: Site, foreign: ForeignSite, watch: Watch
) -> None:
    for part in ("status of 401", "CORS policy", "ERR_FAILED"):
        watch.allow(part)
    embed(site, foreign, 'key="pk_another-not-a-key"')
    page.goto(foreign.url)
    page.get_by_role("textbox").fill("Hello?")
    page.keyboard.press("Enter")
    expect(page.locator(".failure")).to_be_visible()
    assert site.upstream.chats.empty()


def test_another_origin_gets_no_answer_even_with_the_key(
    page: Page, site: Site, foreign: ForeignSite, watch: Watch
) -> None:
    for part in ("CORS policy", "ERR_FAILED", "status of 403"):
        watch.allow(part)
    embed(site, foreign, f'key="{KEY}"')
    site.upstream.allowed_origin = "https://shop.example.com"
    page.goto(foreign.url)
    page.get_by_role("textbox").fill("Hello?")
    page.keyboard.press("Enter")
    expect(page.locator(".failure")).to_be_visible()
    assert site.upstream.chats.empty()


def test_on_a_telephone_the_open_chat_is_the_page(
    page: Page, site: Site, foreign: ForeignSite
) -> None:
    embed(site, foreign, 'mode="button"', f'key="{KEY}"')
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(foreign.url)
    page.get_by_role("button", name="Ask Trivet").click()
    panel = page.get_by_role("dialog", name="Chat with Trivet")
    box = panel.bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 360, 740)
    panel.get_by_role("button", name="Close the chat").click()
    expect(panel).to_have_count(0)
