"""What to search for when a question leans on what was said before: "and how often?", "那多少钱？".

Such a question is searched twice in one call: together with the questions before it, and alone. A
question that stands alone is searched alone, and once more with those before it when nothing is
found. No model is asked, so that a search costs what it did.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from services.llm_proxy.providers.dashscope_request import text_of_message

MAX_QUERY_CHARACTERS = 1000
_MAX_EARLIER = 3  # questions that are looked back to
_MAX_EARLIER_CHARACTERS = 300
_RANK_DAMPING = 10  # of reciprocal rank fusion: small, because the lists are short
_FEW_WORDS = 4
_FEW_CHARACTERS = 6  # a Chinese question of so few says only what is asked of a thing, not of which
_ENGLISH = re.compile(
    r"^(?:and|but|so|or|also|then|what about|how about|what else|anything else)\b"
    r"|\b(?:it|its|this|those|these|they|them|their|he|she|him|her|the same|another one|instead"
    r"|the (?:first|second|last|other) one)\b"
    r"|\b(?:about|change|do|does|for|is|like|of|than|use|was|with) that\b|\bthat[?.! ]*$",
    re.IGNORECASE,
)
_CHINESE = re.compile(
    r"^(?:那么?|还有|然后|所以|但是?|可是|而且|另外|其他|别的)"
    r"|[它他她](?:们)?|[这那](?:个|些|种|样|里|儿|边|款|项|时|方面)|上面|刚才|前者|后者|第[一二三两]个"
    r"|呢[？?]?$"
)
_IDEOGRAPH = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_WORD = re.compile(r"[A-Za-z0-9]+(?:['-][A-Za-z0-9]+)*")


class Ranked(Protocol):
    """What a search finds."""

    @property
    def id(self) -> str: ...


Hit = TypeVar("Hit", bound=Ranked)


def queries(question: str, earlier: Sequence[str]) -> list[str]:
    """What to search for in one call, the more likely meaning first."""
    if not earlier or not leans_on_before(question):
        return [question]
    together = in_context(question, earlier)
    return [together, question] if _points_back(question) else [question, together]


def leans_on_before(question: str) -> bool:
    """Whether a question may need what was said before: it points back, or it is very short."""
    return _points_back(question) or _is_short(question)


def _points_back(question: str) -> bool:
    text = question.strip()
    return bool((_CHINESE if _IDEOGRAPH.search(text) else _ENGLISH).search(text))


def _is_short(question: str) -> bool:
    ideographs, words = len(_IDEOGRAPH.findall(question)), len(_WORD.findall(question))
    return ideographs + words <= (_FEW_CHARACTERS if ideographs else _FEW_WORDS)


def earlier_questions(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """The user's questions before the last one, oldest first: back to one that stands alone."""
    found: list[str] = []
    for message in reversed(messages[:-1]):
        text = text_of_message(message).strip() if message.get("role") == "user" else ""
        if not text:
            continue
        found.append(text[:_MAX_EARLIER_CHARACTERS])
        if len(found) == _MAX_EARLIER or not leans_on_before(text):
            break
    return found[::-1]


def in_context(question: str, earlier: Sequence[str]) -> str:
    """The question with those before it; what is too long loses its beginning."""
    return "\n".join([*earlier, question])[-MAX_QUERY_CHARACTERS:]


def merged(lists: Sequence[Sequence[Hit]], limit: int) -> list[Hit]:
    """The best of several lists, by reciprocal rank; of equals the one in the earlier list."""
    scores: dict[str, float] = {}
    hits: dict[str, Hit] = {}
    for ranking in lists:
        for rank, hit in enumerate(ranking):
            hits.setdefault(hit.id, hit)
            scores[hit.id] = scores.get(hit.id, 0.0) + 1 / (_RANK_DAMPING + rank)
    best = sorted(hits, key=lambda identity: -scores[identity])  # stable: see above
    return [hits[identity] for identity in best[:limit]]
