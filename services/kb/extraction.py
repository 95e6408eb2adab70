"""A file's bytes → its blocks of text, with title, language and address where the file tells them.

Formats: Markdown, plain text, HTML. Another one is a new entry of `_READERS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal

import yaml

from services.kernel.errors import Unprocessable

BlockKind = Literal["heading", "paragraph", "list", "table", "code"]

SUPPORTED = "Markdown (.md, .markdown), text (.txt) and HTML (.html, .htm)"
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_NUL = "\x00"


@dataclass(frozen=True)
class Block:
    """A piece of a document. `level` (1–6) and `anchor` are a heading's alone."""

    kind: BlockKind
    text: str
    level: int = 0
    anchor: str = ""


@dataclass(frozen=True)
class Extracted:
    """What a file holds. `title`, `lang` and `url` are empty where the file does not tell them."""

    blocks: list[Block]
    title: str = ""
    lang: str = ""
    url: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


def extract(content: bytes, source: str) -> Extracted:
    """Reads a file by its suffix. Raises Unprocessable, in words that say how to mend it."""
    suffix = PurePosixPath(source).suffix.lower()
    reader = _READERS.get(suffix)
    if reader is None:
        raise Unprocessable(
            f"The format {suffix or '(no suffix)'} is not supported: use {SUPPORTED}."
        )
    extracted = reader(_decoded(content))
    if not any(block.kind != "heading" for block in extracted.blocks):
        raise Unprocessable("The file holds no text.")
    return extracted


def media_type_of(source: str) -> str:
    """The media type of a supported file."""
    suffix = PurePosixPath(source).suffix.lower()
    if suffix in (".html", ".htm"):
        return "text/html"
    return "text/plain" if suffix == ".txt" else "text/markdown"


def _decoded(content: bytes) -> str:
    if not content.strip():
        raise Unprocessable("The file is empty.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise Unprocessable("The file is not text in UTF-8.") from exc
    if _NUL in text:
        raise Unprocessable("The file is binary, not text.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_text(text: str) -> Extracted:
    paragraphs = (part.strip() for part in re.split(r"\n\s*\n", text))
    return Extracted([Block("paragraph", part) for part in paragraphs if part])


def _read_markdown(text: str) -> Extracted:
    from services.kb.markdown import blocks_of  # the parser is only needed to ingest

    matter: dict[str, Any] = {}
    found = _FRONT_MATTER.match(text)
    if found is not None:
        matter = _front_matter(found.group(1))
        text = text[found.end() :] if matter else text
    blocks = blocks_of(text)
    first = next((b.text for b in blocks if b.kind == "heading" and b.level == 1), "")
    return Extracted(
        blocks,
        title=str(matter.pop("title", "") or first),
        lang=str(matter.pop("lang", "") or ""),
        url=str(matter.pop("url", "") or ""),
        metadata=matter,
    )


def _front_matter(text: str) -> dict[str, Any]:
    """YAML before the text; anything else between two rules is text."""
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    if not isinstance(loaded, dict):
        return {}
    return {str(key): _plain(value) for key, value in loaded.items()}


def _plain(value: Any) -> Any:
    """What JSON can hold: dates become text."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool) else str(value or "")


def _read_html(text: str) -> Extracted:
    from services.kb.html import read_page  # the parser is only needed to ingest

    page = read_page(text)
    return Extracted(list(page.blocks), page.title, page.lang)


_READERS: dict[str, Callable[[str], Extracted]] = {
    ".md": _read_markdown,
    ".markdown": _read_markdown,
    ".txt": _read_text,
    ".html": _read_html,
    ".htm": _read_html,
}


def supported_suffixes() -> Iterator[str]:
    """The suffixes that `extract` reads, with the dot."""
    yield from _READERS
