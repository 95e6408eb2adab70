"""The pages that are made from code say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.docs.__main__ import pages, stale_pages
from tests.docs.project import ROOT, setting_names


@pytest.fixture(scope="module")
def made() -> dict[Path, str]:
    return pages()


def test_no_made_page_is_stale(made: dict[Path, str]) -> None:
    assert stale_pages(made) == [], "run `.venv/bin/python -m scripts.docs`"


def test_a_page_that_differs_by_one_letter_is_stale(made: dict[Path, str]) -> None:
    path = Path("docs/settings.md")
    assert stale_pages({path: made[path] + "x"}) == [path]


def test_no_openapi_file_is_left_of_a_service_that_is_gone(made: dict[Path, str]) -> None:
    kept = {path.relative_to(ROOT) for path in (ROOT / "docs" / "openapi").iterdir()}
    assert kept <= set(made)


def test_every_setting_of_the_code_is_documented_once(made: dict[Path, str]) -> None:
    rows = re.findall(r"^\| `(\w+)` \|", made[Path("docs/settings.md")], re.MULTILINE)
    assert sorted(rows) == sorted(setting_names())


def test_every_variable_of_the_configuration_files_is_documented(made: dict[Path, str]) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "config").glob("*.yaml")]
    used = {name for text in texts for name in re.findall(r"\$\{([A-Z]\w+)", text)}
    used.discard("NAME")  # how the files explain themselves
    page = made[Path("docs/settings.md")]
    assert {name for name in used if f"| `{name}` |" not in page} == set()


def test_every_setting_has_a_help_text_that_is_a_sentence(made: dict[Path, str]) -> None:
    lines = made[Path("docs/settings.md")].splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    assert [row for row in rows if not re.search(r"\.\*? \|$", row)] == []


def test_a_made_page_names_no_folder_of_this_machine(made: dict[Path, str]) -> None:
    assert [str(path) for path, text in made.items() if str(ROOT) in text or "/tmp" in text] == []


def test_every_operation_has_a_summary(made: dict[Path, str]) -> None:
    bare = re.findall(r"^\| `([A-Z]+ /\S*)` \| \w+ \|\s*\|$", made[Path("docs/api.md")], re.M)
    assert bare == []
