"""Bytes → text, and plain text → paragraphs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from services.kb.extraction.block import About, Block, Extracted
from services.kernel.errors import Unprocessable

_NUL = "\x00"
# Longer runs of lines without an empty one are cut: what follows works on one block at a time.
_MAX_PARAGRAPH_CHARACTERS = 100_000


def decoded(path: Path) -> str:
    """A text file's content with plain line ends. Raises Unprocessable for what is not UTF-8."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise Unprocessable("The file is not text in UTF-8.") from exc
    if _NUL in text:
        raise Unprocessable("The file is binary, not text.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_text(path: Path) -> Extracted:
    """Paragraphs, divided at empty lines."""
    return Extracted(About(), _paragraphs(decoded(path)))


def _paragraphs(text: str) -> Iterator[Block]:
    lines: list[str] = []
    size = 0
    for line in _lines(text):
        if line.strip() and size < _MAX_PARAGRAPH_CHARACTERS:
            lines.append(line)
            size += len(line)
            continue
        yield from _paragraph(lines)
        lines, size = [line], len(line)
    yield from _paragraph(lines)


def _paragraph(lines: list[str]) -> Iterator[Block]:
    text = "\n".join(lines).strip()
    if text:
        yield Block("paragraph", text)


def _lines(text: str) -> Iterator[str]:
    """Lines one by one; one that is longer than a paragraph may be comes in pieces."""
    start = 0
    while start <= len(text):
        end = text.find("\n", start, start + _MAX_PARAGRAPH_CHARACTERS)
        if end < 0:
            end = min(len(text), start + _MAX_PARAGRAPH_CHARACTERS)
            yield text[start:end]
            if end == len(text):
                return
            start = end
        else:
            yield text[start:end]
            start = end + 1
