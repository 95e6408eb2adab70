"""Combinations of words ↔ the numbers that stand for them, for writers and readers.

Combinations are only ever added, so what was read once stays true.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select

from services.analytics.intake import Words
from services.analytics.labels import LabelNumbers
from services.analytics.models import (
    FACET_COLUMNS,
    TRAIT_COLUMNS,
    Facet,
    Kind,
    Label,
    Trait,
    table,
)

# Columns that hold numbers of their own, not those of labels.
_OWN_NUMBERS = frozenset({"kind", "status", "stream", "top_k", "attempts"})
_MAX_REMEMBERED = 20_000
_KIND_NAMES = {int(kind): kind.name for kind in Kind}
_label = table(Label)


class CombinationNumbers:
    """Finds or makes the numbers of combinations of one table; for one writer.

    What a rolled-back transaction made must be forgotten (`forget`).
    """

    def __init__(self, numbered: Table, columns: Sequence[str], labels: LabelNumbers) -> None:
        self._table = numbered
        self._columns = tuple(columns)
        self._labels = labels
        self._numbers: dict[Words, int] = {}

    def learn(self, connection: Connection, combinations: Iterable[Words]) -> dict[Words, int]:
        """The number of each combination. Needs a write transaction."""
        wanted = set(combinations)
        unknown = wanted - self._numbers.keys()
        if unknown:
            if len(self._numbers) > _MAX_REMEMBERED:
                self.forget()
                unknown = wanted
            self._make(connection, unknown)
        return self._numbers

    def forget(self) -> None:
        self._numbers.clear()

    def _make(self, connection: Connection, unknown: set[Words]) -> None:
        pairs = [
            (name, value)
            for words in unknown
            for name, value in zip(self._columns, words, strict=True)
        ]
        self._labels.learn(
            connection,
            {value for name, value in pairs if value is not None and name not in _OWN_NUMBERS},
        )
        for words in unknown:
            self._numbers[words] = self._number(connection, words)

    def _number(self, connection: Connection, words: Words) -> int:
        values = {
            name: self._encoded(name, value)
            for name, value in zip(self._columns, words, strict=True)
        }
        same = [self._table.c[name] == value for name, value in values.items()]
        found = connection.scalar(select(self._table.c.id).where(*same))
        if found is None:
            made = connection.execute(insert(self._table).values(values)).inserted_primary_key
            found = made[0] if made else 0
        return int(found)

    def _encoded(self, name: str, value: Any) -> int:
        if value is None:
            return 0
        if name in ("kind", "status"):
            return int(value)
        return int(value) + 1 if name in _OWN_NUMBERS else self._labels.number(value) or 0


@dataclass(frozen=True, slots=True)
class FacetWords:
    """A facet as people read it."""

    kind: str
    service: str | None
    provider: str | None
    model: str | None
    status: int | None
    error_type: str | None
    end_reason: str | None


@dataclass(frozen=True, slots=True)
class TraitWords:
    """A trait as people read it."""

    requested_model: str | None
    assistant: str | None
    finish_reason: str | None
    stream: bool | None
    usage_source: str | None
    collection: str | None
    mode: str | None
    cause: str | None
    top_k: int | None
    fallback_from: str | None
    attempts: int | None
    cache: str | None


class Dictionary:
    """All combinations in words. One for an application: `refreshed` reads what is new."""

    def __init__(self) -> None:
        self.facets: dict[int, FacetWords] = {}
        self.traits: dict[int, TraitWords] = {}
        self._words: dict[int, str | None] = {0: None}

    def refreshed(self, connection: Connection) -> Dictionary:
        """Itself, with all that the connection's snapshot may speak of. May be called from many
        threads: each assigns whole entries that are the same whoever reads them."""
        facets = self._missing(connection, table(Facet), self.facets)
        traits = self._missing(connection, table(Trait), self.traits)
        if facets or traits:
            known = max(self._words)
            rows = connection.execute(select(_label).where(_label.c.id > known)).all()
            self._words |= {row.id: row.text for row in rows}
        for row in facets:
            self.facets[row[0]] = self._facet(row[1:])
        for row in traits:
            self.traits[row[0]] = self._trait(row[1:])
        return self

    def matching(self, **wanted: object) -> list[int]:
        """The numbers of the facets that have these words."""
        pairs = [(name, value) for name, value in wanted.items() if value is not None]
        return [
            number
            for number, words in list(self.facets.items())
            if all(getattr(words, name) == value for name, value in pairs)
        ]

    @staticmethod
    def _missing(connection: Connection, numbered: Table, known: dict[int, Any]) -> Sequence[Any]:
        newest = connection.scalar(select(func.max(numbered.c.id))) or 0
        last = max(known, default=0)
        if newest <= last:
            return ()
        return connection.execute(select(numbered).where(numbered.c.id > last)).all()

    def _facet(self, values: Sequence[int]) -> FacetWords:
        kind, service, provider, model, status, error_type, end_reason = values
        words = self._words
        return FacetWords(
            kind=_KIND_NAMES[kind],
            service=words[service],
            provider=words[provider],
            model=words[model],
            status=status or None,
            error_type=words[error_type],
            end_reason=words[end_reason],
        )

    def _trait(self, values: Sequence[int]) -> TraitWords:
        decoded: dict[str, Any] = {}
        for name, value in zip(TRAIT_COLUMNS, values, strict=True):
            if name in _OWN_NUMBERS:
                decoded[name] = value - 1 if value else None
            else:
                decoded[name] = self._words[value]
        if decoded["stream"] is not None:
            decoded["stream"] = bool(decoded["stream"])
        return TraitWords(**decoded)


def facet_numbers(labels: LabelNumbers) -> CombinationNumbers:
    return CombinationNumbers(table(Facet), FACET_COLUMNS, labels)


def trait_numbers(labels: LabelNumbers) -> CombinationNumbers:
    return CombinationNumbers(table(Trait), TRAIT_COLUMNS, labels)
