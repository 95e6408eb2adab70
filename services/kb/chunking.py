"""Blocks → passages of a size that the embedding model reads whole, each under its headings.

A passage never crosses a heading, so that its anchor says where it stands. What is too long is cut
at the best place there is: between blocks, lines, sentences (Chinese ones too), at last anywhere.

Blocks come in one after another and leave in windows of one section each, so that a document of any
size takes little memory. Who holds the model's tokenizer counts the pieces of a window in between.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from services.kb.extraction.block import Block
from services.kb.language import CJK_RANGES

# Part of what a document's passages depend on: with another number documents are cut anew.
VERSION = 2
# A paragraph of prose mostly stays whole so, and model and prefix read 512.
DEFAULT_MAX_TOKENS = 480

# multilingual-e5-small's tokenizer: 0.23 a character of English prose, 0.3 of technical English,
# 0.65 of Chinese. An estimate where nobody counts; it errs on the high side.
_TOKENS_PER_CJK_CHARACTER = 0.7
_TOKENS_PER_OTHER_CHARACTER = 0.27

# How much more than an even share a passage may take, so that pieces of unequal size still fit.
_SLACK = 1.1
# A section that goes on without a heading is worked on in parts of this size.
_WINDOW_CHARACTERS = 60_000
# Rows and items stand for themselves: few of them share a passage, so that the right one is found.
_RECORD_TOKENS = 128
# The header of a table is said again in each of its passages, unless it takes up much of them.
_HEADER_SHARE = 0.25

_CJK = re.compile(f"[{CJK_RANGES}]")
_SENTENCE_END = re.compile(r"(?<=[。！？；…])[”’」』）]?|(?<=[.!?;])[\"')\]]?(?=\s)")
_NOT_IN_SLUG = re.compile(r"[^\w\- ]")
_RULE = re.compile(r"[\s|:-]+")


@dataclass(frozen=True)
class Piece:
    """A part of a block that fits into a passage. `glue` joins it to the one before; `lead` is said
    before it where a passage begins with it; `limit_tokens`: most that it shares a passage with."""

    text: str
    glue: str
    anchor: str
    lead: str = ""
    limit_tokens: int | None = None


@dataclass
class Window:
    """Blocks of one section, or of a part of it, each with its anchor."""

    path: tuple[str, ...]
    anchor: str
    blocks: list[tuple[Block, str]] = field(default_factory=list)
    characters: int = 0


@dataclass(frozen=True)
class Chunk:
    """A passage. `heading_path`: its headings, outermost first; `anchor`: of its beginning."""

    text: str
    heading_path: tuple[str, ...]
    anchor: str
    tokens: int


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has; errs on the high side."""
    cjk = len(_CJK.findall(text))
    other = len(text) - cjk
    return round(cjk * _TOKENS_PER_CJK_CHARACTER + other * _TOKENS_PER_OTHER_CHARACTER) + 1


class Sections:
    """Blocks in, windows out. Headings without text live on in the paths below them."""

    def __init__(self) -> None:
        self._anchors = _Anchors()
        self._path: list[tuple[int, str]] = []
        self._window = Window((), "")

    def feed(self, blocks: Iterable[Block]) -> Iterator[Window]:
        """The windows that the blocks complete."""
        for block in blocks:
            if block.kind == "heading":
                yield from self._begin(block)
            elif block.kind == "place":
                self._window.anchor = block.anchor
            else:
                yield from self._add(block)

    def end(self) -> Iterator[Window]:
        """The last window."""
        if self._window.blocks:
            yield self._window

    def _begin(self, heading: Block) -> Iterator[Window]:
        yield from self.end()
        self._path = [(level, text) for level, text in self._path if level < heading.level]
        self._path.append((heading.level, heading.text))
        self._window = Window(tuple(text for _, text in self._path), self._anchors.of(heading))

    def _add(self, block: Block) -> Iterator[Window]:
        window = self._window
        window.blocks.append((block, window.anchor))
        window.characters += len(block.text)
        if window.characters > _WINDOW_CHARACTERS:
            yield window
            self._window = Window(window.path, window.anchor)


class _Anchors:
    """Anchors as GitHub makes them: the heading in lower case, hyphens for spaces, counted. One
    that the document gives is taken as it is."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def of(self, heading: Block) -> str:
        if heading.anchor:
            return heading.anchor
        slug = slug_of(heading.text)
        count = self._seen.get(slug, 0)
        self._seen[slug] = count + 1
        return f"{slug}-{count}" if count else slug


def slug_of(text: str) -> str:
    """A heading's anchor."""
    lowered = unicodedata.normalize("NFC", text).strip().lower()
    return _NOT_IN_SLUG.sub("", lowered).replace(" ", "-") or "section"


def pieces_of(window: Window, max_tokens: int) -> list[Piece]:
    """What a window's passages are put together of, by an estimate of the sizes."""
    pieces: list[Piece] = []
    for block, anchor in window.blocks:
        limit = _RECORD_TOKENS if block.kind == "record" else None
        lead = _header(block, max_tokens)
        glue = "\n\n"
        for text, inner in _divided(block, max_tokens - estimated_tokens(lead)):
            pieces.append(Piece(text, glue, anchor, lead if glue != "\n\n" else "", limit))
            glue = inner
    return pieces


def packed(
    window: Window, pieces: Sequence[Piece], counts: Sequence[int], max_tokens: int
) -> Iterator[Chunk]:
    """Fills passages with whole pieces, as evenly as they go: a crumb at the end of a section
    says little, lies near to everything, and would be found in the place of better passages."""
    fitting = list(_fitting_pieces(pieces, counts, max_tokens))
    total = sum(tokens for _, tokens in fitting)
    even = total / math.ceil(total / max_tokens) if total else 0.0
    limit = min(max_tokens, math.ceil(even * _SLACK))
    text, anchor, size = "", "", 0
    for piece, tokens in fitting:
        own_limit = limit if piece.limit_tokens is None else min(limit, piece.limit_tokens)
        if text and size + tokens > own_limit:
            yield Chunk(text.strip(), window.path, anchor, size)
            text, size = "", 0
        if text:
            text, size = f"{text}{piece.glue}{piece.text}", size + tokens
            continue
        lead = f"{piece.lead}\n" if piece.lead else ""
        text, anchor, size = lead + piece.text, piece.anchor, tokens + estimated_tokens(lead) - 1
    if text.strip():
        yield Chunk(text.strip(), window.path, anchor, size)


def _fitting_pieces(
    pieces: Sequence[Piece], counts: Sequence[int], max_tokens: int
) -> Iterator[tuple[Piece, int]]:
    """The pieces with their tokens; those that the estimate took for smaller than they are, cut."""
    for piece, tokens in zip(pieces, counts, strict=True):
        if tokens <= max_tokens:
            yield piece, tokens
            continue
        share = max_tokens / (tokens * _SLACK)
        glue = piece.glue
        for part in _cut(piece.text, max(1, int(estimated_tokens(piece.text) * share))):
            yield (
                replace(piece, text=part, glue=glue),
                math.ceil(tokens * len(part) / len(piece.text)),
            )
            glue = ""


def _header(block: Block, max_tokens: int) -> str:
    """The first row of a table that will not fit into one passage, with Markdown's rule."""
    if block.kind != "table" or estimated_tokens(block.text) <= max_tokens:
        return ""
    lines = block.text.split("\n", 2)
    ruled = len(lines) > 1 and "-" in lines[1] and _RULE.fullmatch(lines[1])
    header = "\n".join(lines[:2]) if ruled else lines[0]
    return header if estimated_tokens(header) <= max_tokens * _HEADER_SHARE else ""


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
