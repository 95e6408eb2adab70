"""Markdown → blocks, by markdown-it's line ranges, so that the source is kept as written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from services.kb.extraction.block import About, Block, BlockKind, Extracted
from services.kb.extraction.text import decoded

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.{0,65536}?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_KINDS: dict[str, BlockKind] = {
    "paragraph_open": "paragraph",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "blockquote_open": "paragraph",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
}
_TAG = re.compile(r"<!--.*?-->|<[^>]+>", re.DOTALL)
_EXPLICIT_ANCHOR = re.compile(r"\s*\{#([\w.:-]+)\}\s*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
# The parser makes some hundred bytes of every one it reads: it gets a long text in parts.
_PART_CHARACTERS = 200_000
_LONGEST_PART_CHARACTERS = 2_000_000


def read_markdown(path: Path) -> Extracted:
    """Blocks, and the front matter's title, language and address; its rest is metadata."""
    text = decoded(path)
    matter: dict[str, Any] = {}
    found = _FRONT_MATTER.match(text)
    if found is not None:
        matter = _front_matter(found.group(1))
        text = text[found.end() :] if matter else text
    about = About(
        title=str(matter.pop("title", "") or _first_heading(text)),
        lang=str(matter.pop("lang", "") or ""),
        url=str(matter.pop("url", "") or ""),
        metadata=matter,
    )
    return Extracted(about, (block for part in _parts(text) for block in blocks_of(part)))


def blocks_of(text: str) -> list[Block]:
    """The top-level blocks of a Markdown text, in order."""
    lines = text.split("\n")
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    blocks: list[Block] = []
    for index, token in enumerate(tokens):
        if token.level != 0 or token.map is None:
            continue
        if token.type == "heading_open":
            blocks.append(_heading(tokens[index + 1], int(token.tag[1:])))
            continue
        if token.type == "paragraph_open" and _is_picture(tokens[index + 1]):
            continue
        raw = "\n".join(lines[token.map[0] : token.map[1]]).strip("\n")
        if token.type == "html_block":
            raw = _TAG.sub("", raw).strip()
            blocks.append(Block("paragraph", raw))
        elif token.type in _KINDS:
            blocks.append(Block(_KINDS[token.type], raw))
    return [block for block in blocks if block.text.strip()]


def _is_picture(inline: Token) -> bool:
    """Whether a paragraph holds pictures and nothing else: a passage of it would answer nothing."""
    children = [child for child in inline.children or [] if child.content.strip()]
    return bool(children) and all(child.type == "image" for child in children)


def plain(text: str) -> str:
    """Inline Markdown without its marks: what a person would read."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(\*\*|__|`+)(.+?)\1", r"\2", text)
    return re.sub(r"(?m)^\s{0,3}(#{1,6}|>|[-*+]|\d+\.)\s+", "", text)


def _heading(inline: Token, level: int) -> Block:
    text = inline.content
    found = _EXPLICIT_ANCHOR.search(text)
    if found is not None:
        return Block("heading", plain(text[: found.start()]), level, found.group(1))
    return Block("heading", plain(text), level)


def _first_heading(text: str) -> str:
    """The first heading of the first level; it is looked for in the text's first part alone."""
    first = blocks_of(next(_parts(text), ""))
    return next((b.text for b in first if b.kind == "heading" and b.level == 1), "")


def _parts(text: str) -> Iterator[str]:
    """A long text in parts that begin with a heading, or at least between blocks."""
    if len(text) <= _PART_CHARACTERS:
        yield text
        return
    lines: list[str] = []
    size = 0
    fence = ""
    for line in text.split("\n"):
        cuts = _may_begin_part(line, size) and not fence
        if lines and (cuts or size > _LONGEST_PART_CHARACTERS):
            yield "\n".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line) + 1
        fence = _fence_after(line, fence)
    yield "\n".join(lines)


def _may_begin_part(line: str, size: int) -> bool:
    if size < _PART_CHARACTERS:
        return False
    return line.startswith("#") or (size > 2 * _PART_CHARACTERS and not line.strip())


def _fence_after(line: str, fence: str) -> str:
    """The mark that would close the code block in which the next line stands; empty: none."""
    found = _FENCE.match(line)
    if found is None:
        return fence
    mark = found.group(1)
    if not fence:
        return mark
    return "" if mark.startswith(fence) else fence


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
