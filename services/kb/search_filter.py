"""What narrows a search: conditions on language, metadata and times, as one condition in SQL.

The condition is asked of SQLite before the search, not of its results after it: a narrow filter
over many passages would leave none of the first fifty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Scalar = str | int | float | bool
Operator = Literal["equals", "in", "not_in", "gt", "gte", "lt", "lte", "exists"]

# Names that stand for what kb itself knows of a document; all others are looked up in its metadata.
TIMES = ("created_at", "updated_at")
COLUMNS = ("source", "title", "media_type", *TIMES)

_SIGNS: Mapping[Operator, str] = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True)
class Condition:
    """One condition. `value`: a list for `in` and `not_in`, a bool for `exists`, else a scalar."""

    name: str
    operator: Operator
    value: Scalar | Sequence[Scalar]


@dataclass(frozen=True)
class Scope:
    """Which chunks count: a statement that selects their ids, and its values. Empty: all."""

    statement: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    def condition(self, column: str) -> str:
        """To be put after a WHERE that is not empty."""
        return f"AND {column} IN ({self.statement})" if self.statement else ""


EVERYTHING = Scope()


def scope_of(collection_id: int, lang: str, conditions: Sequence[Condition]) -> Scope:
    """The chunks of a collection that are in a language (`zh` takes `zh-TW`, too) and whose
    documents meet all conditions."""
    if not lang and not conditions:
        return EVERYTHING
    values: dict[str, Any] = {"f_collection": collection_id}
    parts = ["c.collection_id = :f_collection"]
    if lang:
        values["f_lang"], values["f_langs"] = lang, f"{lang}-"
        parts.append("(c.lang = :f_lang OR substr(c.lang, 1, length(:f_langs)) = :f_langs)")
    for number, condition in enumerate(conditions):
        parts.append(_part(condition, f"f{number}", values))
    statement = (
        "SELECT c.id FROM chunks AS c JOIN documents AS d ON d.id = c.document_id "  # noqa: S608  # values are bound
        f"WHERE {' AND '.join(parts)}"
    )
    return Scope(statement, values)


def _part(condition: Condition, key: str, values: dict[str, Any]) -> str:
    if condition.name in COLUMNS:
        return _on_column(condition, key, values)
    values[key] = f'$."{condition.name}"'
    # json_each gives a row for a scalar, one for each element of a list, none where nothing is.
    found = f"EXISTS (SELECT 1 FROM json_each(d.metadata, :{key}) AS v WHERE "  # noqa: S608  # values are bound
    if condition.operator == "exists":
        return f"{'' if condition.value else 'NOT '}{found}v.type <> 'null')"
    tests = [_test(condition.operator, v, name, values) for v, name in _each(condition, key)]
    return f"{'NOT ' if condition.operator == 'not_in' else ''}{found}({' OR '.join(tests)}))"


def _test(operator: Operator, value: Scalar, key: str, values: dict[str, Any]) -> str:
    """A value is only like another of its kind: 1 is not "1" and not true."""
    values[key] = value
    if isinstance(value, bool):
        kinds = "'true', 'false'"
    elif isinstance(value, str):
        kinds = "'text'"
    else:
        kinds = "'integer', 'real'"
    return f"(v.type IN ({kinds}) AND v.value {_SIGNS.get(operator, '=')} :{key})"


def _on_column(condition: Condition, key: str, values: dict[str, Any]) -> str:
    if condition.operator == "exists":
        return "1" if condition.value else "0"
    sign = _SIGNS.get(condition.operator, "=")
    tests = []
    for value, name in _each(condition, key):
        values[name] = _time(str(value)) if condition.name in TIMES else str(value)
        tests.append(f"d.{condition.name} {sign} :{name}")
    return f"{'NOT ' if condition.operator == 'not_in' else ''}({' OR '.join(tests)})"


def _each(condition: Condition, key: str) -> Iterator[tuple[Scalar, str]]:
    given = condition.value
    several = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    for number, value in enumerate(several):
        yield value, f"{key}_{number}"


def _time(text: str) -> str:
    """A time as the tables keep it: UTC with microseconds. Raises ValueError."""
    found = datetime.fromisoformat(text)
    in_utc = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return in_utc.isoformat(timespec="microseconds").replace("+00:00", "Z")


def require_time(text: str) -> None:
    """Raises ValueError for what is no date and no time."""
    _time(text)
