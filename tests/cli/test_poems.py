"""`trivet poems`, and the sample poems that it puts into kb."""

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.kb.poems.markup import without_tags
from tests.cli.test_app import trivet
from tests.kb.conftest import Kb
from tests.kb.processes import ROOT

pytestmark = pytest.mark.process

LIBRARY = ROOT / "library" / "poems"
FILES = sorted(LIBRARY.rglob("*.yaml"))


def poems(kb: Kb, *paths: Path) -> subprocess.CompletedProcess[str]:
    return trivet(kb, "poems", *map(str, paths))


def stored(kb: Kb, **params: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = kb.admin.get(
        "/api/v1/poems", params={"limit": 100, **params}
    ).json()
    return items


def test_the_sample_poems_are_put_once_with_their_sources(lonely_kb: Kb) -> None:
    first = poems(lonely_kb, LIBRARY)
    assert first.returncode == 0, first.stderr
    count = len(FILES) + 2
    assert first.stdout == f"poems and translations: {count} added, 0 changed, 0 unchanged\n"
    items = stored(lonely_kb)
    assert len(items) == len(FILES)
    assert {item["source_lang"] for item in items} == {"zh", "en"}
    assert all(item["metadata"]["source"] for item in items)
    (moon,) = stored(lonely_kb, search="疑是地上霜")
    (giles,) = lonely_kb.admin.get(f"/api/v1/poems/{moon['id']}/translations").json()
    assert (giles["translator"], giles["translator_type"]) == ("Herbert A. Giles", "human")
    again = poems(lonely_kb, LIBRARY)
    assert again.stdout == f"poems and translations: 0 added, 0 changed, {count} unchanged\n"


def test_the_sample_poems_hold_nothing_that_would_be_lost() -> None:
    for file in FILES:
        text = yaml.safe_load(file.read_text(encoding="utf-8"))["original_text"]
        assert without_tags(text) == text == text.strip(), file


def test_every_author_and_translator_of_the_samples_has_been_dead_for_seventy_years() -> None:
    newest = datetime.now(UTC).year - 71
    for file in FILES:
        poem = yaml.safe_load(file.read_text(encoding="utf-8"))
        lives = [poem["metadata"]["author_lived"]]
        lives += [translation["notes"] for translation in poem.get("translations", [])]
        for life in lives:
            years = re.search(r"(\d{3,4})–约?(\d{3,4})", life)
            assert years is not None and int(years[2]) <= newest, (file, life)
        assert len(poem["metadata"]["source"]) > 5, file


def test_a_file_that_differs_changes_its_poem_and_a_bad_one_stops_no_other(
    lonely_kb: Kb, tmp_path: Path
) -> None:
    file, bad, empty = (tmp_path / name for name in ("a.yaml", "b.yaml", "c.yml"))
    fields = "title: One\nauthor: Somebody\nsource_lang: en\n"
    file.write_text(f"{fields}original_text: |-\n  first\n    line\n")
    bad.write_text("title: Two\nauthor: Somebody\nsource_lang: english\noriginal_text: x\n")
    empty.write_text("- [")
    (tmp_path / "notes.txt").write_text("no poem")
    first = poems(lonely_kb, tmp_path)
    assert first.returncode == 1
    assert first.stdout == "poems and translations: 1 added, 0 changed, 0 unchanged, 2 failed\n"
    assert f"error: {bad}: source_lang" in first.stderr
    assert f"error: {empty}: it cannot be read as YAML" in first.stderr
    file.write_text(f"{fields}original_text: |-\n  second\n")
    second = poems(lonely_kb, file)
    assert second.stdout == "poems and translations: 0 added, 1 changed, 0 unchanged\n"
    assert [item["original_text"] for item in stored(lonely_kb)] == ["second"]
    nothing = poems(lonely_kb, tmp_path / "notes.txt")
    assert (nothing.returncode, "no .yaml file" in nothing.stderr) == (1, True)
