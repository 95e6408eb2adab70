"""The part of a passage that shows why it was found."""

from __future__ import annotations

import re
from collections.abc import Set

from services.kb.extraction.markdown import plain
from services.kb.lexical import index_text

MAX_CHARACTERS = 240
_PART = re.compile(r"[^。！？；.!?\n]+[。！？；.!?\n]*")


def snippet_of(text: str, words: Set[str]) -> str:
    """About `MAX_CHARACTERS` of the text around the sentences with most of the query's words."""
    shown = " ".join(plain(text).split())
    if len(shown) <= MAX_CHARACTERS:
        return shown
    parts = [found.group() for found in _PART.finditer(shown)] or [shown]
    hits = [len(words & set(index_text(part).split())) for part in parts]
    first = max(
        range(len(parts)), key=lambda start: (hits[start] and _found(parts, hits, start), -start)
    )
    taken = "".join(parts[first:])
    cut = taken[:MAX_CHARACTERS].rstrip()
    return f"{'…' if first else ''}{cut}{'…' if len(taken) > MAX_CHARACTERS else ''}"


def _found(parts: list[str], hits: list[int], start: int) -> int:
    """How many words are found in the window that begins with part `start`."""
    total = length = 0
    for part, count in zip(parts[start:], hits[start:], strict=True):
        total += count
        length += len(part)
        if length >= MAX_CHARACTERS:
            break
    return total
