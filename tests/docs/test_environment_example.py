"""`.env.example` names every setting, and nothing else."""

from __future__ import annotations

import re

from dotenv import dotenv_values

from tests.docs.project import ROOT, setting_names

EXAMPLE = ROOT / ".env.example"
# PM2 gives each instance its own number.
NOT_FOR_PEOPLE = {"TRIVET_INSTANCE"}


def names_in_example() -> list[str]:
    text = EXAMPLE.read_text(encoding="utf-8")
    return re.findall(r"^#?\s?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE)


def names_read_elsewhere() -> set[str]:
    """What scripts, nginx's templates and the configuration files take from the environment."""
    places = [ROOT / "ecosystem.config.js", ROOT / "Makefile"]
    for folder in ("scripts", "config", "deploy"):
        places += [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    texts = [path.read_text(encoding="utf-8") for path in places if path.is_file()]
    return set(re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", "\n".join(texts)))


def test_every_setting_stands_in_the_example() -> None:
    assert setting_names() - NOT_FOR_PEOPLE - set(names_in_example()) == set()


def test_no_name_stands_twice_in_the_example() -> None:
    names = names_in_example()
    assert [name for name in names if names.count(name) > 1] == []


def test_every_name_in_the_example_is_read_somewhere() -> None:
    unknown = set(names_in_example()) - setting_names()
    assert {name for name in unknown if name not in names_read_elsewhere()} == set()


def test_the_example_can_be_read_and_holds_no_key() -> None:
    values = dotenv_values(EXAMPLE)
    filled = {name for name, value in values.items() if value}
    assert {name for name in filled if re.search("KEY|SECRET|TOKEN|PASSWORD", name)} == set()
