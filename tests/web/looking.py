"""Pages as different people see them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from playwright.sync_api import Browser, Page

from tests.web.conftest import Site
from tests.web.upstream import TOKEN

Theme = Literal["light", "dark"]


@contextmanager
def looking(browser: Browser, width: int, theme: Theme, locale: str) -> Iterator[Page]:
    """A page of somebody's own, on a screen so wide, in a theme, in their browser's language."""
    with browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=theme,
        locale=locale,
        reduced_motion="reduce",
    ) as context:
        yield context.new_page()


def open_as(
    page: Page, site: Site, width: int, theme: Theme, locale: str, address: str = ""
) -> None:
    """Logs in at an address of the console, on a screen so wide, in a theme and a language that
    were chosen on the page."""
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=theme)
    page.goto(f"{site.url}console/")
    page.evaluate("(l) => localStorage.setItem('trivet.language', l)", locale[:2])
    page.goto(f"{site.url}console/#/{address}")
    page.reload()
    enter(page)


def enter(page: Page) -> None:
    """Logs in where the console asks for it, in whichever language."""
    page.locator("#token").fill(TOKEN)
    page.keyboard.press("Enter")
