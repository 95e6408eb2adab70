"""What people must not be found by is taken out of their words before these are stored.

E-mail addresses, phone numbers, identity-card numbers and payment-card numbers, as they are written
in China and elsewhere, full-width digits included. Better one number too many than one too few: a
redacted order number costs a statistic nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

# What none of the rules matches without: an at sign, or six digits (the shortest identity card).
_MAYBE = re.compile(r"[@＠]|\d(?:\D{0,4}\d){5}")
# One character for one, so that what is found here lies at the same place in the text.
_PLAIN = str.maketrans(
    "０１２３４５６７８９＠．＋（）－‐‑‒–—―\u00a0\u3000Ｘｘ",
    "0123456789@.+()-------  Xx",
)
_GAP = r"[ -]{0,2}"


def _card(text: str) -> bool:
    """First digits and lengths as they are issued; UnionPay (62) even with a typing error."""
    digits = [int(c) for c in text if c.isdigit()]
    if digits[:2] == [6, 2] and len(digits) >= 16:
        return True
    first_digits = {13: (4,), 14: (3,), 15: (3,)}.get(len(digits), (2, 3, 4, 5, 6, 9))
    return digits[0] in first_digits and _luhn(digits)


def _luhn(digits: list[int]) -> bool:
    """The check digit of payment cards, ISO/IEC 7812-1."""
    doubled = [d * 2 - 9 if d > 4 else d * 2 for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _eight_to_fifteen_digits(text: str) -> bool:
    """The lengths of international numbers, ITU-T E.164."""
    return 8 <= sum(c.isdigit() for c in text) <= 15


def _any(_text: str) -> bool:
    return True


_MONTH_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_RULES: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    (
        "[email]",
        re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}"),
        _any,
    ),
    # Identity cards of the mainland: 18 digits (GB 11643-1999) and the 15 of the older ones.
    (
        "[id]",
        re.compile(
            rf"(?<!\d)[1-9]\d{{5}}{_GAP}(?:18|19|20)\d{{2}}{_MONTH_DAY}{_GAP}\d{{3}}[\dXx](?!\d)"
        ),
        _any,
    ),
    ("[id]", re.compile(rf"(?<!\d)[1-9]\d{{7}}{_MONTH_DAY}\d{{3}}(?!\d)"), _any),
    # Hong Kong, Taiwan; the United States' social security number.
    ("[id]", re.compile(r"(?<![A-Za-z])[A-Z]{1,2}\d{6}\([\dA]\)"), _any),
    ("[id]", re.compile(r"(?<![A-Za-z\d])[A-Z][1289]\d{8}(?!\d)"), _any),
    ("[id]", re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"), _any),
    ("[card]", re.compile(rf"(?<!\d)\d(?:{_GAP}\d){{12,18}}(?!\d)"), _card),
    # Mobile and fixed numbers of the mainland, service numbers, then those with a country's code.
    ("[phone]", re.compile(rf"(?<!\d)(?:(?:\+|00)?86{_GAP})?1[3-9](?:{_GAP}\d){{9}}(?!\d)"), _any),
    (
        "[phone]",
        re.compile(rf"(?<!\d)\(?0\d{{2,3}}\)?{_GAP}\d{{3,4}}{_GAP}\d{{4}}(?:-\d{{1,6}})?(?!\d)"),
        _any,
    ),
    ("[phone]", re.compile(rf"(?<!\d)[48]00(?:{_GAP}\d){{7}}(?!\d)"), _any),
    (
        "[phone]",
        re.compile(r"\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,6}(?!\d)"),
        _eight_to_fifteen_digits,
    ),
    ("[phone]", re.compile(r"(?<![\d.])(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\d.])"), _any),
)


def redact(text: str) -> str:
    """`text` with `[email]`, `[id]`, `[card]` and `[phone]` in place of what they name."""
    if not _MAYBE.search(text):
        return text
    plain = text.translate(_PLAIN)
    for mark, pattern, holds in _RULES:
        spans = [m.span() for m in pattern.finditer(plain) if holds(m.group())]
        for start, end in reversed(spans):
            text = text[:start] + mark + text[end:]
            plain = plain[:start] + mark + plain[end:]
    return text


def redact_all(value: Any, depth: int = 8) -> Any:
    """`value` (JSON) with each text in it redacted; names of fields stay. What lies deeper than
    `depth` is left out: callers may nest as deep as they like."""
    if isinstance(value, str):
        return redact(value)
    if not isinstance(value, list | dict):
        return value
    if depth == 0:
        return None
    if isinstance(value, list):
        return [redact_all(item, depth - 1) for item in value]
    return {name: redact_all(item, depth - 1) for name, item in value.items()}
