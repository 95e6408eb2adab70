"""The page of all settings, from the tables that the processes read them with."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from scripts.docs.page import MADE, ROOT, cell
from services.kernel.settings import CommonSettings, Setting, table

_SETTINGS_INTRO = """
Every setting is a variable of the environment. The processes read the file `.env` in the project's
folder by themselves; a variable that is set in their environment wins over the file, and an empty
one counts as unset. `make run` takes an edited `.env`. A value that cannot be used ends a process
at start-up with one line that names the variable. Values marked *secret* never appear in a log or
an answer; they belong in `.env`, because `make run` hands no key of your shell on to PM2.
"""
_TITLES = {
    "stack": "Installation and nginx",
    "kb.embedder": "The embedder",
    "llm_proxy.local_model": "The local model",
}


@dataclass(frozen=True)
class Chapter:
    """The settings of one process that the chapters before it have not shown."""

    title: str
    rows: tuple[tuple[Setting, Any], ...]  # each with its type


def chapters() -> list[Chapter]:
    """All settings tables of `services/`, the common one first, each name once."""
    seen: set[str] = set()
    found = []
    for title, settings_class in [("Every service", CommonSettings), *_settings_classes()]:
        rows = tuple(row for row in _typed_rows(settings_class) if row[0].name not in seen)
        seen.update(row.name for row, _ in rows)
        if rows:
            found.append(Chapter(title, rows))
    return found


def _settings_classes() -> Iterator[tuple[str, type]]:
    places = [
        *(ROOT / "services").rglob("settings.py"),
        *(ROOT / "scripts").glob("stack/settings.py"),
    ]
    for path in sorted(places, key=lambda place: place.parent.parts):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[1] == "kernel":
            continue
        module = importlib.import_module(".".join(parts))
        for kind in vars(module).values():
            if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == module.__name__:
                name = ".".join(parts[1:-1])
                yield _TITLES.get(name, name), kind


def _typed_rows(settings_class: type) -> list[tuple[Setting, Any]]:
    hints = get_type_hints(settings_class)
    names = {f.metadata["setting"].name: f.name for f in fields(settings_class) if f.metadata}
    return [(row, hints[names[row.name]]) for row in table(settings_class)]


def settings_page() -> str:
    """docs/settings.md."""
    parts = [MADE, "# Settings", _SETTINGS_INTRO.strip()]
    for chapter in chapters():
        lines = [f"## {chapter.title}", "", "| variable | default | meaning |", "|---|---|---|"]
        for row, hint in chapter.rows:
            lines.append(f"| `{row.name}` | {_default(row)} | {cell(meaning(row, hint))} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def default_text(row: Setting) -> str:
    """A default as it would be written in `.env`."""
    if isinstance(row.default, bool):
        return str(row.default).lower()
    if isinstance(row.default, tuple | list):
        return ",".join(str(part) for part in row.default)
    return "" if row.default is None else str(row.default)


def _default(row: Setting) -> str:
    text = default_text(row)
    if row.name.endswith("_BYTES") and isinstance(row.default, int):
        return f"`{text}` ({_binary(row.default)})"
    return f"`{text}`" if text else "*empty*"


def _binary(size_bytes: int) -> str:
    for unit, power in (("GiB", 3), ("MiB", 2), ("KiB", 1)):
        if size_bytes >= 1024**power and size_bytes % 1024**power == 0:
            return f"{size_bytes // 1024**power} {unit}"
    return f"{size_bytes} bytes"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def meaning(row: Setting, hint: Any) -> str:
    """What a setting is for and what it may be, in sentences."""
    notes = [row.help]
    choices = row.choices or (get_args(hint) if get_origin(hint) is Literal else ())
    if choices and not all(str(choice) in row.help for choice in choices):
        notes.append("One of " + ", ".join(f"`{choice}`" for choice in choices) + ".")
    if row.minimum is not None and row.maximum is not None:
        notes.append(f"{_number(row.minimum)} to {_number(row.maximum)}.")
    elif row.minimum is not None:
        notes.append(f"At least {_number(row.minimum)}.")
    if row.secret:
        notes.append("*Secret.*")
    return " ".join(notes)
