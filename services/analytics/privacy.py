"""What people must not be found by is taken out of their words before these are stored.

E-mail addresses, phone numbers, identity-card numbers and payment-card numbers, as they are written
in China and elsewhere, full-width digits included. Better one number too many than one too few: a
redacted order number costs a statistic nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

# Digits as they are spoken, and up to three characters between digits.
_SPOKEN = "〇零幺一二三四五六七八九"
_GAP = r"[ -]{0,3}"
_SPOKEN_MOBILE = rf"[一幺][三四五六七八九](?:{_GAP}[{_SPOKEN}]){{9}}"
# What none of the rules matches without: an at sign, six digits (the shortest identity card), a
# number that is spelled out.
_MAYBE = re.compile(rf"[@＠]|\d(?:\D{{0,4}}\d){{5}}|{_SPOKEN_MOBILE}")
# One character for one, so that what is found here lies at the same place in the text. What joins
# groups of digits, be it a line's end or a character of no width, is a space or a hyphen.
_PLAIN: dict[int, int | str] = {
    **str.maketrans("０１２３４５６７８９＠．＋（）Ｘｘ", "0123456789@.+()Xx"),
    **dict.fromkeys(map(ord, "－‐‑‒–—―_＿~～·•・/／"), "-"),
    **dict.fromkeys(map(ord, "\u00a0\u3000\n\r\t\u200b\u200c\u200d\u2060\ufeff"), " "),
}


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


_YEAR = rf"(?:1{_GAP}[89]|2{_GAP}0)(?:{_GAP}\d){{2}}"
_MONTH = rf"(?:0{_GAP}[1-9]|1{_GAP}[0-2])"
_DAY = rf"(?:0{_GAP}[1-9]|[12]{_GAP}\d|3{_GAP}[01])"
_PLACE = rf"[1-9](?:{_GAP}\d){{5}}"
# Chinese top-level domains as they are typed; others are letters, or `xn--` of letters and digits.
_CHINESE_DOMAINS = "中国|中國|公司|网络|網絡|集团|网址|商城|网店|中文网|在线|我爱你|香港|台湾|台灣"
_DOMAINS = rf"(?:xn--[a-z0-9-]{{2,59}}|[A-Za-z]{{2,24}}|{_CHINESE_DOMAINS})"
_RULES: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    (
        "[email]",
        re.compile(rf"[A-Za-z0-9._%+-]{{1,64}} ?@ ?(?:[A-Za-z0-9-]{{1,63}}\.){{1,8}}{_DOMAINS}"),
        _any,
    ),
    # Names and domains in Chinese: where they begin is a guess, up to a sign or a space.
    ("[email]", re.compile(rf"[\w.%+-]{{1,64}}@(?:[\w-]{{1,63}}\.){{1,8}}{_DOMAINS}"), _any),
    # Identity cards of the mainland: 18 digits (GB 11643-1999) and the 15 of the older ones.
    (
        "[id]",
        re.compile(
            rf"(?<!\d){_PLACE}{_GAP}{_YEAR}{_GAP}{_MONTH}{_GAP}{_DAY}"
            rf"(?:{_GAP}\d){{3}}{_GAP}[\dXx](?!\d)"
        ),
        _any,
    ),
    (
        "[id]",
        re.compile(
            rf"(?<!\d){_PLACE}(?:{_GAP}\d){{2}}{_GAP}{_MONTH}{_GAP}{_DAY}(?:{_GAP}\d){{3}}(?!\d)"
        ),
        _any,
    ),
    # Hong Kong, Macao, Taiwan; passports and passes of the mainland; the United States' social
    # security number.
    ("[id]", re.compile(r"(?<![A-Za-z])[A-Z]{1,2}\d{6}\([\dA]\)"), _any),
    ("[id]", re.compile(r"(?<!\d)[1578]\d{6}\(\d\)"), _any),
    ("[id]", re.compile(r"(?<![A-Za-z\d])[A-Z][1289]\d{8}(?!\d)"), _any),
    ("[id]", re.compile(r"(?<![A-Za-z\d])[CEGHM](?:\d{8}|[A-Z]\d{7}|\d{10})(?!\d)"), _any),
    ("[id]", re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"), _any),
    ("[card]", re.compile(rf"(?<!\d)\d(?:{_GAP}\d){{12,18}}(?!\d)"), _card),
    ("[card]", re.compile(r"(?<![\d.])\d{4}(?:\.\d{4}){3}(?:\.\d{1,3})?(?![\d.])"), _card),
    # Mobile and fixed numbers of the mainland, service numbers, then those with a country's code.
    (
        "[phone]",
        re.compile(rf"(?<!\d)(?:(?:\+|00)?86{_GAP})?1{_GAP}[3-9](?:{_GAP}\d){{9}}(?!\d)"),
        _any,
    ),
    ("[phone]", re.compile(r"(?<![\d.])1[3-9]\d\.\d{4}\.\d{4}(?![\d.])"), _any),
    ("[phone]", re.compile(rf"(?<![{_SPOKEN}]){_SPOKEN_MOBILE}(?![{_SPOKEN}])"), _any),
    (
        "[phone]",
        re.compile(
            rf"(?<!\d)(?:(?:\+|00)?86{_GAP}\(?0?|\(?0)[1-9]\d{{1,2}}\)?{_GAP}"
            rf"\d{{3,4}}{_GAP}\d{{4}}(?:-\d{{1,6}})?(?!\d)"
        ),
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
