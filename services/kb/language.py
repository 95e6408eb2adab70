"""Which script and which language a text is written in, as far as search needs to know."""

from __future__ import annotations

import re
from typing import Literal

Script = Literal["cjk", "other"]

# Han (with the common extension), kana and Hangul: written without spaces or short enough for
# bigrams. https://www.unicode.org/charts/
CJK_RANGES = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)

_CJK = re.compile(f"[{CJK_RANGES}]")
_KANA = re.compile("[\u3040-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7af]")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH = frozenset(
    re.findall(
        r"\w+",
        "the of and to in is a for that it as on with are be this by an or from not you how what "
        "your can do when where which if was at no has will have all",
    )
)
# A word says about as much as two characters of Chinese.
_CHARACTERS_PER_WORD = 2
_ENGLISH_SHARE = 0.08


def cjk_share(text: str) -> float:
    """How much of a text is CJK, 0 to 1; a word counts as two characters of Chinese."""
    characters = len(_CJK.findall(text))
    if not characters:
        return 0.0
    words = len(_WORD.findall(_CJK.sub(" ", text)))
    return characters / (characters + _CHARACTERS_PER_WORD * words)


def script_of(text: str) -> Script:
    """The script that most of the text is written in."""
    return "cjk" if cjk_share(text) > 0.5 else "other"


def script_of_language(lang: str) -> Script:
    """The script of a language tag."""
    return "cjk" if lang.partition("-")[0] in ("zh", "ja", "ko") else "other"


def language_of(text: str) -> str:
    """A language tag: `zh`, `ja`, `ko`, `ru` by script, `en` by its commonest words, or `und`."""
    sample = text[:20_000]
    if script_of(sample) == "cjk":
        return _cjk_language(sample)
    words = [word.lower() for word in _WORD.findall(_CJK.sub(" ", sample))]
    if not words:
        return "und"
    if len(_CYRILLIC.findall(sample)) > sum(map(len, words)) / 2:
        return "ru"
    common = sum(word in _ENGLISH for word in words)
    return "en" if common >= _ENGLISH_SHARE * len(words) else "und"


def _cjk_language(text: str) -> str:
    total = len(_CJK.findall(text))
    if len(_HANGUL.findall(text)) > total / 2:
        return "ko"
    return "ja" if len(_KANA.findall(text)) > total / 10 else "zh"
