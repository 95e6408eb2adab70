"""No link between the pages is broken."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.project import ROOT, headings_of, name_of, pages, project_files, tokens_of


def links_of(page: Path) -> list[str]:
    """Targets of links and images that stay within the project."""
    found = [str(t.attrs.get("href") or t.attrs.get("src") or "") for t in tokens_of(page)]
    return [target for target in found if target and not re.match(r"[a-z][a-z0-9+.-]*:", target)]


def anchors_of(page: Path) -> set[str]:
    """Anchors as GitHub makes them from headings."""
    texts = (re.sub(r"[^\w\- ]", "", text.lower()) for _, text in headings_of(page))
    return {text.replace(" ", "-") for text in texts}


def broken_links(page: Path) -> list[str]:
    kept = set(project_files())
    return [target for target in links_of(page) if not _leads_somewhere(page, target, kept)]


def _leads_somewhere(page: Path, target: str, kept: set[Path]) -> bool:
    name, _, anchor = unquote(target).partition("#")
    if not name:
        return anchor in anchors_of(page)
    goal = (page.parent / name).resolve()
    if goal.is_dir():
        return goal.is_relative_to(ROOT) and not anchor
    return goal in kept and (not anchor or anchor in anchors_of(goal))


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading_of_the_project(page: Path) -> None:
    assert broken_links(page) == []


def test_a_link_to_a_missing_file_or_heading_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One\n[a](#one) [b](#two) [c](gone.md) ![d](gone.png) [e](https://a.example)")
    assert broken_links(page) == ["#two", "gone.md", "gone.png"]


def test_every_page_of_docs_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        goals = [(page.parent / link.partition("#")[0]).resolve() for link in links_of(page)]
        waiting += [goal for goal in goals if goal.is_file()]
    wanted = {page for page in pages() if page.is_relative_to(ROOT / "docs")}
    assert {name_of(page) for page in wanted - reached} == set()
