"""The words by which a record's text is found: those of SQLite's FTS5, divided here.

SQLite's own tokenizers take a Chinese clause for one word, or make trigrams that never match under
three characters. So a run of CJK characters gives its bigrams and its characters, all else gives
whole words in lower case; FTS5 sees words with spaces between them. A record's facet is a word, too
(`_12`; no word of a text has an underscore), so that FTS5 itself can leave out what a filter does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

# Han with its extensions, kana, hangul: https://www.unicode.org/charts/
_CJK = (
    "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_RUN = re.compile(rf"(?P<cjk>[{_CJK}]+)|[^\W_{_CJK}]+")
_MAX_WORD_CHARACTERS = 64


def index_words(text: str, facet: int) -> str:
    """What FTS5 is given for a record; each word once, for only that counts."""
    return f"_{facet} " + " ".join(dict.fromkeys(_words(_folded(text))))


def match_expression(
    wanted: str, facets: Iterable[int] | None, beginning_with: Callable[[str], list[str] | None]
) -> str | None:
    """FTS5's query for texts with all words of `wanted`; None when there is no word in it.

    A word with an asterisk after it stands for all that begin with it. `beginning_with` names
    these, or says None when they are many: FTS5 reads all texts of every word that a beginning
    stands for before it gives the first, but of words that are named no more than it needs.
    """
    terms = dict.fromkeys(_terms(_folded(wanted), beginning_with))
    if not terms:
        return None
    if facets is not None:
        terms["(" + " OR ".join(f'"_{facet}"' for facet in facets) + ")"] = None
    return " AND ".join(terms)


def contiguous_runs(wanted: str) -> list[str]:
    """Runs of three CJK characters and more: that their bigrams are there does not yet say that
    they follow one another."""
    found = (match.group() for match in _RUN.finditer(_folded(wanted)) if match["cjk"])
    return [run for run in found if len(run) > 2]


def has_cjk(text: str) -> bool:
    """Whether there is a CJK character in a folded text."""
    return any(match["cjk"] for match in _RUN.finditer(text))


def folded(text: str) -> str:
    """As texts are compared."""
    return _folded(text)


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def _words(text: str) -> Iterator[str]:
    for match in _RUN.finditer(text):
        run = match.group()
        if match["cjk"] is None:
            yield run[:_MAX_WORD_CHARACTERS]
            continue
        yield from map("".join, pairwise(run))
        yield from run


def _terms(text: str, beginning_with: Callable[[str], list[str] | None]) -> Iterator[str]:
    for match in _RUN.finditer(text):
        run = match.group()
        if match["cjk"] is None:
            word = run[:_MAX_WORD_CHARACTERS]
            begins = text[match.end() : match.end() + 1] == "*"
            yield _beginning(word, beginning_with(word)) if begins else f'"{word}"'
        elif len(run) == 1:
            yield f'"{run}"'
        else:
            yield from (f'"{run[i : i + 2]}"' for i in range(len(run) - 1))


def _beginning(word: str, words: list[str] | None) -> str:
    if words is None:
        return f'"{word}" *'
    return "(" + " OR ".join(f'"{one}"' for one in words or [word]) + ")"
