"""The part of a passage that shows why it was found, and where in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.kb.extraction.markdown import plain
from services.kb.search_terms import Term, found_in, index_text

MAX_CHARACTERS = 240
_PART = re.compile(r"[^。！？；.!?\n]+[。！？；.!?\n]*")


@dataclass(frozen=True)
class Snippet:
    """`highlights`: (start, end) of the query's words in `text`, in characters."""

    text: str
    highlights: list[tuple[int, int]]


def snippet_of(text: str, terms: Sequence[Term]) -> Snippet:
    """About `MAX_CHARACTERS` of the text around the sentences with most of the query's words."""
    cut = _cut(" ".join(plain(text).split()), terms)
    return Snippet(cut, found_in(cut, terms))


def _cut(shown: str, terms: Sequence[Term]) -> str:
    if len(shown) <= MAX_CHARACTERS:
        return shown
    parts = [found.group() for found in _PART.finditer(shown)] or [shown]
    words = {term.word for term in terms}
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
