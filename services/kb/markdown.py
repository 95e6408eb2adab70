"""Markdown → blocks, by markdown-it's line ranges, so that the source is kept as written."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

from services.kb.extraction import Block, BlockKind

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
        raw = "\n".join(lines[token.map[0] : token.map[1]]).strip("\n")
        if token.type == "html_block":
            raw = _TAG.sub("", raw).strip()
            blocks.append(Block("paragraph", raw))
        elif token.type in _KINDS:
            blocks.append(Block(_KINDS[token.type], raw))
    return [block for block in blocks if block.text.strip()]


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
