"""What an ingestion would do, from folders on a real disk."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from services.cli.plan import BadPath, paths_and_urls, plan_of, roots_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "guide"
    for name, content in {"a.md": "a", "b/c.txt": "c", "d.html": "d", "e.exe": "e"}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (root / ".hidden").mkdir()
    (root / ".hidden" / "f.md").write_text("f")
    return root


def known(**contents: str) -> dict[str, dict[str, Any]]:
    return {
        source.replace("__", "/") + ".md": {
            "content_hash": hashlib.sha256(c.encode()).hexdigest(),
            "up_to_date": True,
        }
        for source, c in contents.items()
    }


def test_a_folders_files_are_known_by_its_name_and_their_path(folder: Path) -> None:
    (root,) = roots_of([folder], "")
    assert [file.source for file in root.files] == ["guide/a.md", "guide/b/c.txt", "guide/d.html"]
    (named,) = roots_of([folder], "docs")
    assert named.files[0].source == "docs/a.md"


def test_a_single_file_is_taken_whatever_its_format(folder: Path) -> None:
    (root,) = roots_of([folder / "e.exe"], "")
    assert (root.prefix, [file.source for file in root.files]) == ("", ["e.exe"])


def test_added_changed_unchanged_and_removed_are_told_apart(folder: Path) -> None:
    here = known(guide__a="a", guide__gone="x", elsewhere__z="z")
    here["guide/b/c.txt"] = {"content_hash": "old", "up_to_date": True}
    plan = plan_of(roots_of([folder], ""), here)
    assert [file.source for file in plan.added] == ["guide/d.html"]
    assert [file.source for file in plan.changed] == ["guide/b/c.txt"]
    assert plan.unchanged == 1
    assert plan.removed == ["guide/gone.md"]


def test_a_single_file_removes_nothing(folder: Path) -> None:
    plan = plan_of(roots_of([folder / "a.md"], ""), known(a="a", b="b"))
    assert (plan.unchanged, plan.removed) == (1, [])


def test_another_folder_of_the_same_name_does_not_replace_all(folder: Path) -> None:
    here = known(guide__x="x", guide__y="y")
    with pytest.raises(BadPath, match="2 documents under guide/"):
        plan_of(roots_of([folder], ""), here)
    assert plan_of(roots_of([folder], ""), here, replace=True).removed == list(here)


def test_paths_that_cannot_be_ingested_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadPath, match="no such file"):
        roots_of([tmp_path / "none"], "")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadPath, match="no file in a supported format"):
        roots_of([tmp_path / "empty"], "")
    other = tmp_path / "other" / "guide"
    other.mkdir(parents=True)
    (other / "a.md").write_text("a")
    with pytest.raises(BadPath, match="same name"):
        roots_of([folder, other], "")


def test_what_was_cut_in_another_way_counts_as_changed(folder: Path) -> None:
    here = known(guide__a="a")
    here["guide/a.md"]["up_to_date"] = False
    plan = plan_of(roots_of([folder], ""), here)
    assert [file.source for file in plan.changed] == ["guide/a.md"]


def test_urls_are_told_from_paths_and_read_from_a_list(tmp_path: Path) -> None:
    listed = tmp_path / "urls.txt"
    listed.write_text("# ours\n\nhttps://example.com/b\n")
    paths, urls = paths_and_urls(["docs", "HTTPS://example.com/a"], listed)
    assert paths == [Path("docs")]
    assert urls == ["HTTPS://example.com/a", "https://example.com/b"]
    with pytest.raises(BadPath, match="name a file"):
        paths_and_urls([], None)
