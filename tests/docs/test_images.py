"""The pictures of the pages: small, and each shown somewhere; test_links misses missing ones."""

from __future__ import annotations

from tests.docs.project import ROOT, name_of, pages, project_files
from tests.docs.test_links import links_of

IMAGES = ROOT / "docs" / "images"
MAX_BYTES = 150_000


def test_every_picture_is_shown_by_a_page() -> None:
    shown = {(page.parent / link).resolve() for page in pages() for link in links_of(page)}
    there = {path for path in project_files() if path.is_relative_to(IMAGES)}
    assert {name_of(path) for path in there - shown} == set()


def test_every_picture_is_small() -> None:
    sizes = {path.name: path.stat().st_size for path in IMAGES.iterdir()}
    assert {name: size for name, size in sizes.items() if size > MAX_BYTES} == {}
