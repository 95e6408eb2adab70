"""JSON → records: each object's plain values by name, under headings for what holds them.

The anchor of a record is its JSON pointer (RFC 6901): `#/items/3`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from services.kb.extraction.block import About, Block, Extracted
from services.kb.extraction.text import decoded
from services.kernel.errors import Unprocessable

_MAX_LEVEL = 6


def read_json(path: Path) -> Extracted:
    """Any JSON value; the title and the language of an object are the document's."""
    try:
        value = orjson.loads(decoded(path))
    except orjson.JSONDecodeError as exc:
        if "memory" in exc.msg:  # orjson's word for it
            raise MemoryError from exc
        raise Unprocessable(f"The file is not valid JSON (line {exc.lineno}).") from exc
    about = About()
    if isinstance(value, dict):
        about = About(_text_of(value, "title"), _text_of(value, "lang"), _text_of(value, "url"))
    return Extracted(about, _blocks(value, "", 1))


def _blocks(value: Any, pointer: str, level: int) -> Iterator[Block]:
    """An object's own values first, then what is nested in it."""
    if isinstance(value, dict):
        yield from _object(value, pointer, level)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _blocks(item, f"{pointer}/{number}", level)
    elif _shown(value):
        yield Block("place", "", anchor=pointer)
        yield Block("record", _shown(value))


def _object(value: Mapping[str, Any], pointer: str, level: int) -> Iterator[Block]:
    own = [f"{name}: {text}" for name, item in value.items() if (text := _shown(item))]
    if own:
        yield Block("place", "", anchor=pointer)
        yield Block("record", "\n".join(own))
    for name, item in value.items():
        if not isinstance(item, dict | list) or _shown(item) or not item:
            continue
        inner = f"{pointer}/{_escaped(name)}"
        yield Block("heading", name, min(level, _MAX_LEVEL), inner)
        yield from _blocks(item, inner, level + 1)


def _shown(value: Any) -> str:
    """A plain value, or a list of them, in words; empty for all else."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return ", ".join(text for item in value if (text := _shown(item)))
    return ""


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _text_of(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""
