"""axe finds nothing serious, in any state, on any ground, in either language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.accessibility import faults
from tests.web.conftest import Site
from tests.web.looking import looking
from tests.web.upstream import CITATIONS, TOKEN

pytestmark = pytest.mark.browser

ANSWER = """Stop it [1], then copy **everything**:

```sh
make stop
```

| a | b |
|---|---|
| 1 | 2 |
"""
LOOKS = [
    (1440, "light", "en-US"),
    (360, "dark", "zh-CN"),
    (360, "light", "en-US"),
    (1440, "dark", "zh-CN"),
]


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}-{look[2]}")
def looked_at(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page of one width, on one ground, in one language."""
    with looking(browser, *request.param) as page:
        yield page


def ask(page: Page, site: Site, ends: bool = True) -> None:
    before = page.locator(".actions").count()
    page.locator("textarea").last.fill("How do I back up Trivet?")
    page.keyboard.press("Enter")
    chat = site.upstream.next_chat()
    chat.open()
    chat.chunk(citations=CITATIONS)
    chat.chunk(ANSWER)
    if ends:
        chat.done()
        expect(page.locator(".actions")).to_have_count(before + 1)


def test_the_chat_from_its_welcome_to_its_contact_card(looked_at: Page, site: Site) -> None:
    page = looked_at
    page.goto(site.url)
    expect(page.locator(".welcome h1")).to_be_visible()
    assert faults(page) == []
    for _ in range(3):
        ask(page, site)
    expect(page.locator("trivet-contact")).to_be_visible()
    page.locator("[aria-pressed]").last.click()
    page.locator(".edit").first.click()
    assert faults(page) == []


def test_the_chat_while_it_is_answered_and_when_that_fails(looked_at: Page, site: Site) -> None:
    page = looked_at
    page.goto(site.url)
    ask(page, site, ends=False)
    expect(page.locator(".answer table")).to_be_visible()
    assert faults(page) == []
    page.keyboard.press("Escape")
    page.locator("textarea").last.fill("And now?")
    page.keyboard.press("Enter")
    site.upstream.next_chat().fail(503, "overloaded_error", "busy")
    expect(page.locator(".failure")).to_be_visible()
    assert faults(page) == []


def test_the_widgets_page_and_its_open_panel(looked_at: Page, site: Site) -> None:
    page = looked_at
    page.goto(f"{site.url}widget/")
    expect(page.locator("h1")).to_be_visible()
    assert faults(page) == []
    page.locator(".launcher").click()
    ask(page, site)
    assert faults(page) == []


def test_the_console_before_and_after_the_log_in(looked_at: Page, site: Site) -> None:
    page = looked_at
    page.goto(f"{site.url}console/")
    page.locator("#token").fill(TOKEN)
    assert faults(page) == []
    page.keyboard.press("Enter")
    expect(page.locator(".tiles")).to_be_visible()
    assert faults(page) == []
