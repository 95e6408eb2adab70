"""What the pictures show: each scene leaves a page as it is to be taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.pictures.filling import Filled, translate
from tests.pictures.writer import Writer
from tests.support.stack import Stack
from tests.support.wait import until

LANGUAGES = {"en": "en-US", "zh": "zh-CN"}
QUESTION = {"en": "How do I back up Trivet?", "zh": "如何备份 Trivet？"}
_SETTLED_SECONDS = 30


@dataclass(frozen=True)
class Place:
    """Where the pictures are taken, in one language."""

    stack: Stack
    writer: Writer
    filled: Filled
    origin: str
    language: str


Take = Callable[[str, Page], None]


def take_chat(browser: Browser, place: Place, take: Take) -> None:
    """The chat page at its beginning and with an answer, light and dark."""
    with opened(browser, place) as page:
        page.goto(f"{place.stack.base_url}/")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        take("chat-welcome", page)
        _ask(page, place)
        take("chat", page)
        page.emulate_media(color_scheme="dark")
        take("chat-dark", page)


def take_widget(browser: Browser, place: Place, take: Take) -> None:
    """The chat behind a button, on a page of another site and on a telephone."""
    address = f"{place.origin}/{place.language}"
    with opened(browser, place) as page:
        page.goto(address)
        page.locator(".launcher").click()
        _ask(page, place)
        take("widget", page)
    with opened(browser, place, width=390, height=760) as page:
        page.goto(address)
        page.locator(".launcher").click()
        _ask(page, place)
        take("widget-phone", page)


def take_console(browser: Browser, place: Place, take: Take) -> None:
    """The log-in's other side: every page that the console lists, and what lies below some."""
    with opened(browser, place, width=1280, height=860) as page:
        console = f"{place.stack.base_url}/console/"
        links = _log_in(page, place)
        paths = [str(link.get_attribute("href")) for link in links.all()]
        for path in [*paths, *_below(place, paths)]:
            page.goto(f"{console}{path}")
            settled(page)
            take(f"console-{_name_of(path)}", page)


def take_run(browser: Browser, place: Place, take: Take) -> None:
    """A translation while it is being written; it is cancelled then."""
    calls = httpx.Client(base_url=place.stack.base_url, headers=place.stack.admin, timeout=60)
    with opened(browser, place, width=1280, height=860) as page, calls as client:
        _log_in(page, place)
        pause_seconds, place.writer.pause_seconds = place.writer.pause_seconds, 0.3
        task_id = translate(client, place.filled.poem_id)
        page.goto(f"{place.stack.base_url}/console/#/studio/runs/{task_id}")
        expect(page.locator("trivet-run")).to_contain_text("frost of night", timeout=60_000)
        take("console-studio-run", page)
        client.delete(f"/api/v1/workflow/tasks/{task_id}").raise_for_status()
        place.writer.pause_seconds = pause_seconds


def _log_in(page: Page, place: Place) -> Locator:
    """Opens the console; the links to its pages."""
    page.goto(f"{place.stack.base_url}/console/")
    page.locator("input[type=password]").fill(place.stack.admin_token)
    page.keyboard.press("Enter")
    links = page.locator("nav a[href^='#/']")
    expect(links.first).to_be_visible()
    return links


def _below(place: Place, paths: list[str]) -> list[str]:
    """Addresses below a page that say more than the page itself."""
    more = {
        "#/knowledge": f"#/knowledge/tester?q={QUESTION[place.language]}",
        "#/studio": f"#/studio/poems/{place.filled.poem_id}",
    }
    return [more[path] for path in paths if path in more]


def _name_of(path: str) -> str:
    words = path.removeprefix("#/").partition("?")[0].split("/")
    return "-".join(words[:2]) or "overview"


def _ask(page: Page, place: Place) -> None:
    page.locator("textarea").fill(QUESTION[place.language])
    page.keyboard.press("Enter")
    expect(page.locator(".answer .copy")).to_be_visible(timeout=30_000)
    expect(page.locator("trivet-turn .actions")).to_be_visible()


def settled(page: Page) -> None:
    """Waits until nothing on the page waits for a service any more."""
    page.locator("main h1, main h2").first.wait_for()
    waiting = page.locator("main .ghost, main [aria-busy=true]")
    until(lambda: waiting.count() == 0, _SETTLED_SECONDS, f"{page.url} has been read")


@contextmanager
def opened(
    browser: Browser, place: Place, *, width: int = 1120, height: int = 780
) -> Iterator[Page]:
    """A page of a visitor who reads the place's language."""
    context: BrowserContext = browser.new_context(
        locale=LANGUAGES[place.language],
        viewport={"width": width, "height": height},
        device_scale_factor=1.5,
        reduced_motion="reduce",
        timezone_id="Asia/Shanghai",
    )
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()
