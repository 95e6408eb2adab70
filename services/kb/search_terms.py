"""Texts and queries as the words that search compares: CJK bigrams and lightly stemmed words.

A run of CJK characters gives its bigrams and its last character. A query of one character is a
search for the words that begin with it: every character begins a bigram or is the last of its run.
Traditional and simplified Chinese are one: every character is taken as its simplified form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cache

from services.kb.language import CJK_RANGES

_RUN = re.compile(rf"(?P<cjk>[{CJK_RANGES}]+)|(?P<word>[^\W_{CJK_RANGES}]+)")
_MAX_WORD_CHARACTERS = 64
_HAN = ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2FFFF))

# English words that carry grammar, not content.
FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a all also am an and any are as at be because been being both but by can could d did do "
        "does doing for from had has have having he her here him his how i if in into is it its "
        "just ll me might must my of on or our s shall she should so such t than that the their "
        "them then there these they this those to us very was we were what when where which while "
        "who whom whose why will with would you your",
    )
)
# Chinese question words and the phrases around them, longest first.
_QUESTION_WORDS_ZH = re.compile(
    "为什么|怎么样|怎么办|什么样|什么时候|是什么|有什么|有哪些|是不是|能不能|可不可以|什么|怎么|怎样|如何|为何|"
    "哪些|哪个|哪里|哪儿|哪种|哪位|多少|多久|是否|能否|可否|请问|[吗呢吧谁]"
)
MAX_QUERY_TERMS = 64


@dataclass(frozen=True)
class Term:
    """A word of a query; `prefix`: all words that begin with it count."""

    word: str
    prefix: bool = False


def index_text(content: str) -> str:
    """The words of a text as FTS5 is to see them."""
    return " ".join(word for run, cjk in _runs(content) for word in _words(run, cjk))


def query_terms(query: str) -> list[Term]:
    """The words of a query, each once, at most `MAX_QUERY_TERMS`.

    Words that only make it a question are left out: an answer does not repeat them, and they are
    so rare in statements that bm25 would follow them. A query of nothing else keeps them.
    """
    folded = _folded(query)
    stripped = _QUESTION_WORDS_ZH.sub(" ", folded)
    return _terms(stripped, FUNCTION_WORDS) or _terms(folded, frozenset())


def _terms(query: str, left_out: Set[str]) -> list[Term]:
    terms: dict[Term, None] = {}
    for run, cjk in _runs(query):
        if not cjk:
            if run not in left_out:
                terms[Term(_stem(run[:_MAX_WORD_CHARACTERS]))] = None
        elif len(run) == 1:
            terms[Term(run, prefix=True)] = None
        else:
            terms.update((Term(pair), None) for pair in _bigrams(run))
    return list(terms)[:MAX_QUERY_TERMS]


def found_in(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """Where a text holds words of a query: (start, end) in characters, in order, none touching."""
    words = {term.word for term in terms if not term.prefix}
    begun = {term.word for term in terms if term.prefix}
    ranges: list[tuple[int, int]] = []
    for found in _RUN.finditer(text):
        folded = _folded(found.group())
        if found.lastgroup == "word":
            places = [(0, len(found.group()))] if _stem(folded) in words else []
        elif len(folded) == len(found.group()):
            places = [(i, i + 2) for i, pair in enumerate(_bigrams(folded)) if pair in words]
            places += [(i, i + 1) for i, character in enumerate(folded) if character in begun]
        else:
            places = []  # a ligature was taken apart: its characters have no places of their own
        ranges += [(found.start() + start, found.start() + end) for start, end in places]
    return _joined(sorted(ranges))


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in ranges:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _runs(content: str) -> Iterator[tuple[str, bool]]:
    for found in _RUN.finditer(_folded(content)):
        yield found.group(), found.lastgroup == "cjk"


def _folded(content: str) -> str:
    return unicodedata.normalize("NFKC", content).casefold().translate(_simplified())


@cache
def _simplified() -> dict[int, str]:
    """Traditional characters → simplified ones, by OpenCC's tables, one character for one.

    By characters and not by words, so that a text is the same whatever stands around a character.
    https://github.com/BYVoid/OpenCC
    """
    from opencc import OpenCC

    characters = [chr(code) for low, high in _HAN for code in range(low, high + 1)]
    converted = OpenCC("t2s").convert("\n".join(characters)).split("\n")
    pairs = zip(characters, converted, strict=True)
    return {ord(old): new for old, new in pairs if old != new and len(new) == 1}


def _words(run: str, cjk: bool) -> Iterator[str]:
    if not cjk:
        yield _stem(run[:_MAX_WORD_CHARACTERS])
        return
    yield from _bigrams(run)
    yield run[-1]


def _bigrams(run: str) -> Iterator[str]:
    return (run[i : i + 2] for i in range(len(run) - 1))


def _stem(word: str) -> str:
    """Singular from plural, no more: Harman's S-stemmer (1991), which seldom errs."""
    if len(word) < 4 or not word.isascii() or not word.endswith("s"):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes", "sses", "xes", "ches")):
        return word[:-1]
    if word.endswith(("sses", "xes", "ches")):
        return word[:-1] if word.endswith("caches") else word[:-2]
    return word if word.endswith(("us", "ss")) else word[:-1]
