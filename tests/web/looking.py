"""The console as different people see it."""

from __future__ import annotations

from typing import Literal

from playwright.sync_api import Page

from tests.web.conftest import Site
from tests.web.upstream import TOKEN

Theme = Literal["light", "dark"]


def open_as(
    page: Page, site: Site, width: int, theme: Theme, locale: str, address: str = ""
) -> None:
    """Logs in at an address of the console, on a screen so wide, in a theme and a language."""
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=theme)
    page.goto(f"{site.url}console/")
    page.evaluate("(l) => localStorage.setItem('trivet.language', l)", locale[:2])
    page.goto(f"{site.url}console/#/{address}")
    page.reload()
    page.locator("#token").fill(TOKEN)
    page.keyboard.press("Enter")
