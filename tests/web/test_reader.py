"""The page that the sources of the sample library lead to."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from scripts.stack.places import ROOT
from services.kb.chunking import slug_of
from tests.web.conftest import Site, Watch
from tests.web.test_chat import ask
from tests.web.upstream import CITATIONS

pytestmark = pytest.mark.browser


def headings_of(path: str) -> list[str]:
    """The second-level headings of a document of the library."""
    text = (ROOT / "library" / path).read_text(encoding="utf-8")
    return [line.lstrip("# ") for line in text.splitlines() if line.startswith("## ")]


@pytest.mark.parametrize("site", ["/", "/~temp/mogine_agent/"], indirect=True)
def test_a_source_of_the_guide_opens_at_its_heading(page: Page, site: Site) -> None:
    page.goto(site.url)
    chat = ask(page, site)
    chat.open()
    heading = headings_of("guide/en/backup.md")[-1]
    url = f"read/?/guide/en/backup.md#{slug_of(heading)}"
    chat.chunk(citations=[{**CITATIONS[0], "url": url}])
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Source 1").click()
    reader = opened.value
    assert reader.url == site.url + url
    expect(reader.locator(".sought")).to_have_text(heading)
    expect(reader.locator(".sought")).to_be_in_viewport()
    assert reader.title() == "Back up and restore · Trivet"
    chat.done()


def test_the_guide_is_there_in_both_languages(page: Page, site: Site) -> None:
    page.goto(f"{site.url}read/?/guide/en/backup.md")
    expect(page.get_by_role("heading", name="Back up and restore")).to_be_visible()
    page.get_by_role("button", name="切换到中文").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("备份")
    assert page.url == f"{site.url}read/?/guide/zh/backup.md"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_heading_has_the_anchor_that_a_source_names(
    page: Page, site: Site, language: str
) -> None:
    path = f"guide/{language}/install.md"
    headings = headings_of(path)
    page.goto(f"{site.url}read/?/{path}")
    expect(page.locator("article h2")).to_have_count(len(headings))
    ids = page.locator("article h2").evaluate_all("nodes => nodes.map((node) => node.id)")
    assert ids == [slug_of(heading) for heading in headings]


def test_nothing_but_the_guide_can_be_read(page: Page, site: Site, watch: Watch) -> None:
    watch.allow("status of 404")
    for address in ("", "?/guide/en/../../api/session", "?//example.com/x.md"):
        page.goto(f"{site.url}read/{address}")
        expect(page.get_by_text("There is no such document.")).to_be_visible()
    page.goto(f"{site.url}read/?/guide/en/unwritten.md")
    expect(page.get_by_text("There is no such document.")).to_be_visible()
    assert site.upstream.requests == []


def test_the_guides_pictures_are_shown_from_the_stack_itself(page: Page, site: Site) -> None:
    page.goto(f"{site.url}read/?/guide/en/ask.md")
    picture = page.get_by_role("img", name="An answer with its sources and a block of code")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 1000
    address = str(picture.evaluate("image => image.src"))
    assert address == f"{site.url}guide/images/chat-en.webp"
