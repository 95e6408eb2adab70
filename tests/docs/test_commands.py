"""The commands and addresses that the pages show are there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from services.cli.app import create_cli
from tests.docs.project import ROOT, code_of, make_targets, name_of, pages

# History speaks of what was.
PAGES = [page for page in pages() if page.name != "CHANGELOG.md"]
# Served by nginx itself.
STATIC = {"/", "/console/", "/assets/"}


def operations() -> set[str]:
    """Every path of every service, with `{}` for a parameter."""
    found: set[str] = set()
    for path in (ROOT / "docs" / "openapi").glob("*.json"):
        described = json.loads(path.read_text(encoding="utf-8"))["paths"]
        found.update(re.sub(r"{\w+}", "{}", name) for name in described)
    return found


def addresses_in(code: str) -> set[str]:
    """Paths behind `$BASE` or the trial machine's address."""
    pattern = r"(?:\$\{?BASE\}?|http://127\.0\.0\.1:8740)(/[\w./{}-]*)"
    return {found.split("?")[0] for found in re.findall(pattern, code)}


def is_served(address: str) -> bool:
    behind = re.sub(r"^/services/(llm_proxy|kb|analytics)/", "/", address)
    if address in STATIC or _matches(behind):
        return True
    # An SDK's base address: something lies beneath it.
    return any(path.startswith(address.rstrip("/") + "/") for path in operations())


def _matches(address: str) -> bool:
    for path in operations():
        pattern = re.escape(path).replace(r"\{\}", "[^/]+")
        if re.fullmatch(pattern + "/?", address):
            return True
    return False


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(r"\bmake ([a-z][\w-]*)", code_of(page))
    assert set(named) - make_targets() == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_script_that_a_page_names_exists(page: Path) -> None:
    code = code_of(page)
    scripts = set(re.findall(r"(?:^|[\s`(])(scripts/[\w./-]+)", code, re.MULTILINE))
    modules = {
        name.replace(".", "/") for name in re.findall(r"-m ((?:scripts|services)\.[\w.]+)", code)
    }
    missing = {name for name in scripts if not (ROOT / name.rstrip("/.")).exists()}
    missing |= {m for m in modules if not ((ROOT / m).is_dir() or (ROOT / f"{m}.py").is_file())}
    assert missing == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_trivet_command_that_a_page_names_exists(page: Path) -> None:
    known = set(trivet_commands(get_command(create_cli())))
    named = re.findall(r"\btrivet ([a-z]+(?: [a-z]+)?)", code_of(page))
    assert {name for name in named if not {name, name.split()[0]} & known} == set()


def trivet_commands(command: Any, before: str = "") -> Iterator[str]:
    """`ingest`, `kb rebuild`: what can be called, without the groups themselves."""
    for name, below in command.commands.items():
        if hasattr(below, "commands"):
            yield from trivet_commands(below, f"{before}{name} ")
        else:
            yield f"{before}{name}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_address_that_a_page_shows_is_served(page: Path) -> None:
    assert {a for a in addresses_in(code_of(page)) if not is_served(a)} == set()


def test_an_address_that_nobody_serves_is_noticed() -> None:
    shown = addresses_in('curl "$BASE/api/nothing?q=1" http://127.0.0.1:8740/api/search')
    assert {a for a in shown if not is_served(a)} == {"/api/nothing"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_process_that_a_page_names_is_one_of_pm2s(page: Path) -> None:
    known = (ROOT / "ecosystem.config.js").read_text(encoding="utf-8")
    # `<trivet-…>` is a custom element, `--trivet-…` a property of the pages' style.
    named = set(
        re.findall(r"(?<![<-])\btrivet-[a-z][a-z-]*[a-z]\b", page.read_text(encoding="utf-8"))
    )
    assert {name for name in named - NOT_PROCESSES if name not in known} == set()


# A backup's folder, a custom element.
NOT_PROCESSES = {"trivet-data", "trivet-chat"}


def test_the_readme_shows_the_two_commands_and_a_first_curl() -> None:
    code = code_of(ROOT / "README.md")
    assert re.search(r"^make run\b", code, re.MULTILINE)
    assert re.search(r"^make test\b", code, re.MULTILINE)
    assert {"/v1/chat/completions", "/api/search", "/api/company_info"} <= addresses_in(code)
