"""The project speaks of itself alone: no file names a place that only one machine has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.project import ROOT, name_of, project_files, text_of

OWN_FOLDERS = re.compile(r"(?<![\w.~*/-])/(?:home|Users|work)/[\w.-]+")
UPWARDS = re.compile(r"(?<![\w./])(?:\.\./)+[\w][\w./-]*")
REGISTRY = re.compile(r"https?://[^\s\"']*(?:simple/|/pypi/|registry|mirror|nexus|artifactory)")
LOCKS = sorted([*(ROOT / "requirements").glob("*"), ROOT / "package-lock.json", ROOT / ".npmrc"])


def leaves_the_project(path: Path, target: str) -> bool:
    """Whether a relative path points outside; a test may try to break out to /etc or a secret."""
    if path.is_relative_to(ROOT / "tests"):
        return "shared" in Path(target).parts
    return not (path.parent / target).resolve().is_relative_to(ROOT)


def places_in(path: Path) -> list[str]:
    """What in a file points to a place of one machine."""
    text = text_of(path) or ""
    outside = [found for found in UPWARDS.findall(text) if leaves_the_project(path, found)]
    return OWN_FOLDERS.findall(text) + outside


def test_no_file_names_a_place_of_one_machine() -> None:
    found = {name_of(path): places_in(path) for path in project_files()}
    assert {name: places for name, places in found.items() if places} == {}


@pytest.mark.parametrize("path", LOCKS, ids=name_of)
def test_a_lock_names_no_registry(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "--index-url" not in text and "find-links" not in text
    assert REGISTRY.findall(text) == []
    assert '"resolved": "http' not in text


def test_such_places_are_noticed() -> None:
    assert OWN_FOLDERS.findall("cp /home/" + "ann/x .") == ["/home/" + "ann"]
    assert leaves_the_project(ROOT / "README.md", "../" + "elsewhere/x")
    assert REGISTRY.search("https://pypi.example/" + "simple/torch")
