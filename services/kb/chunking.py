"""Blocks → passages of a size that the embedding model reads whole, each under its headings.

A passage never crosses a heading, so that its anchor says where it stands. What is too long is cut
at the best place there is: between blocks, lines, sentences (Chinese ones too), at last anywhere.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from services.kb.extraction import Block
from services.kb.language import CJK_RANGES

DEFAULT_MAX_TOKENS = 400

# multilingual-e5-small's tokenizer: 0.23 a character of English prose, 0.3 of technical English,
# 0.65 of Chinese. With 400 by this estimate a passage and its headings fit into the model's 512.
_TOKENS_PER_CJK_CHARACTER = 0.7
_TOKENS_PER_OTHER_CHARACTER = 0.27

# How much more than an even share a passage may take, so that pieces of unequal size still fit.
_SLACK = 1.1

_CJK = re.compile(f"[{CJK_RANGES}]")
_SENTENCE_END = re.compile(r"(?<=[。！？；…])[”’」』）]?|(?<=[.!?;])[\"')\]]?(?=\s)")
_NOT_IN_SLUG = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Chunk:
    """A passage. `heading_path`: its headings, outermost first; `anchor`: the last one's."""

    text: str
    heading_path: tuple[str, ...]
    anchor: str
    position: int
    tokens: int


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has; errs on the high side."""
    cjk = len(_CJK.findall(text))
    other = len(text) - cjk
    return round(cjk * _TOKENS_PER_CJK_CHARACTER + other * _TOKENS_PER_OTHER_CHARACTER) + 1


def chunks_of(blocks: Iterable[Block], max_tokens: int = DEFAULT_MAX_TOKENS) -> list[Chunk]:
    """All text of the blocks, in order, in passages of at most about `max_tokens`."""
    found: list[Chunk] = []
    for section in _sections(blocks):
        for text in _packed(section.blocks, max_tokens):
            chunk = Chunk(text, section.path, section.anchor, 0, estimated_tokens(text))
            found.append(replace(chunk, position=len(found)))
    return found


@dataclass
class _Section:
    path: tuple[str, ...]
    anchor: str
    blocks: list[Block]


def _sections(blocks: Iterable[Block]) -> Iterator[_Section]:
    """Runs of blocks under one heading. Headings without text live on in the paths below them."""
    anchors = _Anchors()
    path: list[tuple[int, str]] = []
    section = _Section((), "", [])
    for block in blocks:
        if block.kind != "heading":
            section.blocks.append(block)
            continue
        if section.blocks:
            yield section
        path = [(level, text) for level, text in path if level < block.level]
        path.append((block.level, block.text))
        section = _Section(tuple(text for _, text in path), anchors.of(block), [])
    if section.blocks:
        yield section


class _Anchors:
    """Anchors as GitHub makes them: the heading in lower case, hyphens for spaces, counted."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def of(self, heading: Block) -> str:
        slug = heading.anchor or slug_of(heading.text)
        count = self._seen.get(slug, 0)
        self._seen[slug] = count + 1
        return f"{slug}-{count}" if count else slug


def slug_of(text: str) -> str:
    """A heading's anchor."""
    lowered = unicodedata.normalize("NFC", text).strip().lower()
    return _NOT_IN_SLUG.sub("", lowered).replace(" ", "-") or "section"


def _packed(blocks: list[Block], max_tokens: int) -> Iterator[str]:
    """Fills passages with whole pieces, as evenly as they go: a crumb at the end of a section
    says little, lies near to everything, and would be found in the place of better passages."""
    pieces = list(_pieces(blocks, max_tokens))
    total = estimated_tokens("".join(text for text, _ in pieces)) if pieces else 0
    even = total / math.ceil(total / max_tokens) if total else 0.0
    limit = min(max_tokens, math.ceil(even * _SLACK))
    waiting = ""
    for text, glue in pieces:
        joined = f"{waiting}{glue}{text}" if waiting else text
        if waiting and estimated_tokens(joined) > limit:
            yield waiting.strip()
            joined = text
        waiting = joined
    if waiting.strip():
        yield waiting.strip()


def _pieces(blocks: list[Block], max_tokens: int) -> Iterator[tuple[str, str]]:
    """(piece, what joins it to the one before); each piece fits."""
    for block in blocks:
        glue = "\n\n"
        for text, inner in _divided(block, max_tokens):
            yield text, glue
            glue = inner


def _divided(block: Block, max_tokens: int) -> Iterator[tuple[str, str]]:
    """(part, what joins it to the next part of the same block)."""
    if estimated_tokens(block.text) <= max_tokens:
        yield block.text, ""
        return
    by_lines = block.kind in ("list", "table", "code")
    parts = block.text.split("\n") if by_lines else _sentences(block.text)
    for part in parts:
        for piece in _cut(part, max_tokens):
            if piece.strip():
                yield piece, "\n" if by_lines else ""


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for end in _SENTENCE_END.finditer(text):
        yield text[start : end.end()]
        start = end.end()
    yield text[start:]


def _cut(text: str, max_tokens: int) -> Iterator[str]:
    """Cuts a sentence that is too long: at a space where there is one, else anywhere."""
    while estimated_tokens(text) > max_tokens:
        end = _fitting(text, max_tokens)
        space = text.rfind(" ", end // 2, end)
        end = space + 1 if space > 0 else end
        yield text[:end]
        text = text[end:]
    yield text


def _fitting(text: str, max_tokens: int) -> int:
    """How many characters of the text fit, at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if estimated_tokens(text[:middle]) <= max_tokens:
            low = middle
        else:
            high = middle - 1
    return low
