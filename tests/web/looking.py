"""Pages as different people see them."""

from __future__ import annotations

from typing import Literal

from playwright.sync_api import Page

from tests.web.accessibility import faults
from tests.web.tasks import drawn

Theme = Literal["light", "dark"]
_THEMES: tuple[tuple[Theme, Theme], ...] = (("dark", "light"), ("light", "dark"))
# Chromium paints another theme, but tells scripts, as axe is one, inherited colours of the old one.
_FORGET_STYLES = """() => {
  const { style } = document.documentElement;
  style.display = "none";
  document.body.offsetHeight;
  style.display = "";
}"""


def judge(page: Page, where: str = "") -> None:
    """A page is fit for everyone as it stands: axe finds nothing serious and nothing is cut off, on
    both screens, in both themes and both languages, and in each pair of these."""
    page.emulate_media(reduced_motion="reduce")
    for first, second in _THEMES:
        language = page.locator("html").get_attribute("lang")
        _look(page, 360, first, f"{where} {language}")
        _look(page, 1440, second, f"{where} {language}")
        other = page.locator("button[lang]").first
        other.dispatch_event("click")  # the menu that it stands in may be closed


def _look(page: Page, width: int, theme: Theme, where: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=theme)
    page.evaluate(_FORGET_STYLES)
    drawn(page)
    found = faults(page)
    assert found == [], f"{where} {width} {theme}: {found}"
    for scrolled in ("html", "main.content"):  # the second is the console's
        for part in page.locator(scrolled).all():
            cut = part.evaluate("(e) => e.scrollWidth - e.clientWidth")
            assert cut <= 0, f"{where} {width} {theme}: {cut} px of {scrolled} are cut off"
