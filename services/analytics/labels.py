"""Words that repeat ↔ the numbers that stand for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import insert

from services.analytics.models import Label, table

OTHER = "(other)"
_MAX_LABELS = 10_000
_CHUNK = 500  # of words in one statement
_label = table(Label)


class LabelNumbers:
    """Finds or makes the numbers of words; for one writer. Callers may invent models' names, so
    past 10,000 words every new one counts as `(other)`.

    What a rolled-back transaction made must be forgotten (`forget`).
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def learn(self, connection: Connection, words: Iterable[str]) -> None:
        """Makes sure that each word has a number. Needs a write transaction."""
        unknown = {word for word in words if word not in self._numbers}
        if not unknown:
            return
        self._numbers |= _numbers_of(connection, [*unknown, OTHER])
        missing = sorted(unknown - self._numbers.keys())
        if not missing:
            return
        count = connection.scalar(select(func.count()).select_from(_label)) or 0
        room = max(_MAX_LABELS - count, 0)
        made = [*missing[:room], *([OTHER] if OTHER not in self._numbers else [])]
        if made:
            connection.execute(insert(_label), [{"text": word} for word in made])
            self._numbers |= _numbers_of(connection, made)

    def number(self, word: str | None) -> int | None:
        """The number of a word that was learnt before; those past the bound have none."""
        if word is None:
            return None
        return self._numbers.get(word) or self._numbers[OTHER]

    def forget(self) -> None:
        self._numbers.clear()


def _numbers_of(connection: Connection, words: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(words), _CHUNK):
        wanted = select(_label).where(_label.c.text.in_(words[start : start + _CHUNK]))
        found |= {row.text: row.id for row in connection.execute(wanted)}
    return found
