"""axe finds nothing serious, in any state, on any ground, in either language."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import Site, Watch
from tests.web.looking import judge
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


def test_the_chat_from_its_welcome_to_its_contact_card(page: Page, site: Site) -> None:
    page.goto(site.url)
    expect(page.locator(".welcome h1")).to_be_visible()
    judge(page)
    for _ in range(3):
        ask(page, site)
    expect(page.locator("trivet-contact")).to_be_visible()
    page.locator("[aria-pressed]").last.click()
    page.locator(".edit").first.click()
    judge(page)


def test_the_chat_while_it_is_answered_and_when_that_fails(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("status of 503")
    page.goto(site.url)
    ask(page, site, ends=False)
    expect(page.locator(".answer table")).to_be_visible()
    judge(page)
    page.keyboard.press("Escape")
    page.locator("textarea").last.fill("And now?")
    page.keyboard.press("Enter")
    site.upstream.next_chat().fail(503, "overloaded_error", "busy")
    expect(page.locator(".failure")).to_be_visible()
    judge(page)


def test_the_widgets_page_and_its_open_panel(page: Page, site: Site) -> None:
    page.goto(f"{site.url}widget/")
    expect(page.locator("h1")).to_be_visible()
    judge(page)
    page.locator(".launcher").click()
    ask(page, site)
    judge(page)


def test_the_console_before_and_after_the_log_in(page: Page, site: Site) -> None:
    page.goto(f"{site.url}console/")
    page.locator("#token").fill(TOKEN)
    judge(page)
    page.keyboard.press("Enter")
    expect(page.locator(".tiles")).to_be_visible()
    judge(page)


def test_the_reader_of_the_guide(page: Page, site: Site) -> None:
    page.goto(f"{site.url}read/?/guide/en/backup.md")
    expect(page.get_by_role("heading", name="Back up and restore")).to_be_visible()
    judge(page)
