"""How many tokens a call will take, roughly, where nobody has counted them.

A mean of four bytes of UTF-8 a token holds for English (a token is about four letters) and for
Chinese (about one and a third characters) within a third; only text counts, not its JSON. A picture
is some hundred tokens however many bytes it has: vendors count tiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BYTES_PER_TOKEN = 4
PICTURE_TOKENS = 800
MESSAGE_TOKENS = 4  # a message's role and its ends
ANSWER_TOKENS = 500  # expected where the caller sets no bound


def expected_tokens(body: Mapping[str, Any]) -> int:
    """Tokens of the prompt and of the longest answer that the caller allows."""
    own = body.get("parameters")
    options = own if isinstance(own, dict) else body
    for name in ("max_completion_tokens", "max_tokens"):
        bound = options.get(name)
        if isinstance(bound, int) and bound > 0:
            return prompt_tokens(body) + bound
    return prompt_tokens(body) + ANSWER_TOKENS


def prompt_tokens(body: Mapping[str, Any]) -> int:
    """Tokens of a chat's messages, of DashScope's `input`, or of texts to be embedded."""
    given = body.get("messages", body.get("input"))
    if isinstance(given, dict):
        given = given.get("messages", given.get("prompt"))
    return max(1, _tokens(given))


def _tokens(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN
    if isinstance(value, list):
        return sum(map(_item_tokens, value))
    return 0


def _item_tokens(item: Any) -> int:
    if isinstance(item, int):
        return 1  # already a token
    if not isinstance(item, dict):
        return _tokens(item)
    if "role" in item:
        return MESSAGE_TOKENS + _tokens(item.get("content"))
    text = item.get("text")
    return _tokens(text) if isinstance(text, str) else PICTURE_TOKENS
