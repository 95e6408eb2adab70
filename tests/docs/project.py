"""What the tests of the docs read: the project's own files, as git knows them."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "library" / "guide"


def project_files() -> list[Path]:
    """Every file that is tracked, or would be: what git ignores is left out."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    paths = (ROOT / name for name in listed.decode().split("\0") if name)
    return sorted(path for path in paths if path.is_file())


def text_of(path: Path) -> str | None:
    """The text of a file in UTF-8; None for a binary one."""
    data = path.read_bytes()
    if b"\0" in data[:8192]:
        return None
    return data.decode("utf-8")


def pages() -> list[Path]:
    """The Markdown pages that people read."""
    return [path for path in project_files() if path.suffix == ".md"]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tokens_of(page: Path) -> list[Token]:
    """Block tokens and, after each, its inline children."""
    flat: list[Token] = []
    for token in MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8")):
        flat.append(token)
        flat.extend(token.children or [])
    return flat


def headings_of(page: Path) -> list[tuple[int, str]]:
    """(level, text) of each heading in order."""
    tokens = tokens_of(page)
    return [
        (int(token.tag[1]), tokens[index + 1].content)
        for index, token in enumerate(tokens)
        if token.type == "heading_open"
    ]


def code_of(page: Path) -> str:
    """All code of a page, fenced and inline, a line each."""
    kinds = {"fence", "code_inline", "code_block"}
    return "\n".join(token.content for token in tokens_of(page) if token.type in kinds)


def setting_names() -> set[str]:
    """Every variable that a settings module declares, found without importing it."""
    places = [*(ROOT / "services").rglob("settings.py"), *(ROOT / "scripts").rglob("settings.py")]
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in places)
    return {name for tree in trees for name in _declared_in(tree)}


def _declared_in(tree: ast.AST) -> Iterator[str]:
    """First arguments such as "KB_PORT" of `setting(…)` and of what is built upon it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = str(node.args[0].value)
            if re.fullmatch(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|DOMAIN", name):
                yield name


def make_targets() -> set[str]:
    """The targets that the Makefile defines."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][\w-]*)\s*:(?!=)", text, re.MULTILINE))
