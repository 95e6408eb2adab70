"""What an assistant's model gets to read, trimmed to its context: oldest first, sources last.

Tokens are estimated on the high side: an answer that lacks its end because the context was full is
worse than a prompt that could have been a little longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.kernel.errors import InvalidRequest

MESSAGE_TOKENS = 6  # a message's role and its ends
_ASCII_PER_TOKEN = 3  # of English it is about four, of code and numbers less
_LEAST_SOURCE_TOKENS = 24  # a source shorter than this says nothing
Turn = dict[str, str]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A chat for a model. `sources` of the passages are in it, the first ones; `trimmed` says what
    was left out, as the caller is told: `messages`, `passages`, `shortened`."""

    body: dict[str, Any]
    sources: int
    trimmed: dict[str, int | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What fits. `shortened`: the one source that is left lacks its end."""

    history: list[Turn]
    sources: list[str]
    shortened: bool = False


def most_tokens(text: str) -> int:
    """Tokens of a text, rather too many than too few: one for each letter that is not ASCII."""
    plain = sum(map(str.isascii, text))
    return len(text) - plain + -(-plain // _ASCII_PER_TOKEN)


def fitted(
    history: Sequence[Turn], sources: Sequence[str], *, fixed_tokens: int, budget_tokens: int
) -> Fitted:
    """History and sources within a budget, of which `fixed_tokens` are taken by the rest.

    First the oldest exchanges go, then the sources that fit worst, then the end of the last one.
    Raises InvalidRequest when not even that leaves room: the question is too long.
    """
    turns, texts = list(history), list(sources)
    room = budget_tokens - fixed_tokens - sum(map(_turn_tokens, turns)) - sum(map(_tokens, texts))
    while room < 0 and turns:
        room += _turn_tokens(turns.pop(0))
        while turns and turns[0]["role"] == "assistant":  # an answer without its question
            room += _turn_tokens(turns.pop(0))
    while room < 0 and len(texts) > 1:
        room += _tokens(texts.pop())
    if room >= 0:
        return Fitted(turns, texts)
    left = room + _tokens(texts[0]) if texts else room
    if left < _LEAST_SOURCE_TOKENS:
        raise InvalidRequest("The question is too long for this assistant's model.")
    return Fitted(turns, [_cut(texts[0], left)], shortened=True)


def _turn_tokens(turn: Turn) -> int:
    return MESSAGE_TOKENS + most_tokens(turn["content"])


def _tokens(source: str) -> int:
    return 1 + most_tokens(source)  # and the blank line


def _cut(text: str, tokens: int) -> str:
    """The longest beginning that has so many tokens, found by halving."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if _tokens(text[:middle]) <= tokens:
            low = middle
        else:
            high = middle - 1
    return text[:low]
