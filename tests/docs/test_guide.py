"""The guide: two languages, equal in content, in passages that can be understood alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.project import GUIDE, ROOT, code_of, headings_of, name_of, setting_names

ENGLISH = sorted((GUIDE / "en").glob("*.md"))
EVERY_PAGE = [*ENGLISH, *sorted((GUIDE / "zh").glob("*.md"))]
NAMES = re.compile(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b")
FACTS = re.compile(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b|/[a-z][\w./{}-]+|\bmake [a-z]+|\b\d{2,}\b")
MAX_PARAGRAPH_CHARACTERS = 600
MAX_CHINESE_CHARACTERS = 300


def twin(page: Path) -> Path:
    return GUIDE / "zh" / page.name


def sections_of(page: Path) -> dict[str, str]:
    """Body by second-level heading."""
    parts = re.split(r"^## (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))


def test_each_page_stands_in_both_languages() -> None:
    assert {page.name for page in ENGLISH} == {p.name for p in (GUIDE / "zh").glob("*.md")}
    assert 8 <= len(ENGLISH) <= 14


@pytest.mark.parametrize("page", ENGLISH, ids=name_of)
def test_twins_have_the_same_headings_in_number_and_level(page: Path) -> None:
    levels = [level for level, _ in headings_of(page)]
    assert levels == [level for level, _ in headings_of(twin(page))]
    assert levels[0] == 1 and set(levels[1:]) == {2}


@pytest.mark.parametrize("page", ENGLISH, ids=name_of)
def test_twins_name_the_same_settings_paths_commands_and_numbers(page: Path) -> None:
    english, chinese = sections_of(page), sections_of(twin(page))
    for (title, body), (other_title, other) in zip(english.items(), chinese.items(), strict=True):
        assert facts_in(body) == facts_in(other), f"{title} / {other_title}"


def facts_in(text: str) -> set[str]:
    """What must not differ between languages."""
    return {fact.rstrip("./") for fact in FACTS.findall(text)} - SPOKEN


# Numbers that each language counts in its own way: 135 million is 1.35 亿.
SPOKEN = {"135", "35"}


@pytest.mark.parametrize("page", EVERY_PAGE, ids=name_of)
def test_a_section_is_one_short_paragraph(page: Path) -> None:
    limit = MAX_CHINESE_CHARACTERS if page.parent.name == "zh" else MAX_PARAGRAPH_CHARACTERS
    for title, body in sections_of(page).items():
        assert body, title
        assert "\n\n" not in body, title
        assert len(body) <= limit, title


def test_no_heading_stands_twice_in_a_language() -> None:
    for language in ("en", "zh"):
        titles = [t for page in sorted((GUIDE / language).glob("*.md")) for t in sections_of(page)]
        assert len(titles) == len(set(titles))


@pytest.mark.parametrize("page", sorted((GUIDE / "zh").glob("*.md")), ids=name_of)
def test_a_chinese_page_is_written_in_chinese(page: Path) -> None:
    for title, body in sections_of(page).items():
        prose = re.sub(r"`[^`]*`|https?://\S+", "", title + body)
        assert len(re.findall(r"[\u4e00-\u9fff]", prose)) >= 10, title


@pytest.mark.parametrize("page", EVERY_PAGE, ids=name_of)
def test_the_guide_names_only_settings_that_exist(page: Path) -> None:
    assert set(NAMES.findall(code_of(page))) - setting_names() == set()


@pytest.mark.parametrize("page", EVERY_PAGE, ids=name_of)
def test_the_guide_names_only_files_that_exist(page: Path) -> None:
    kept = r"\b(?:config|library|docs|scripts)/[\w./-]*\w|\b[A-Z]+\.md\b|\.env\.example"
    named = re.findall(kept, page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []
