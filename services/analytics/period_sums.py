"""What was counted in each period of a window. SQLite adds it up and hands it over as one value:
each row that Python fetches is another wait for its lock."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Connection

from services.analytics.models import PULSE_COLUMNS
from services.analytics.period import Periods

# Each period finds its buckets by the primary key.
_SPAN = (
    "json_each(?) AS span "
    "JOIN {0} ON {0}.bucket >= span.value ->> 0 AND {0}.bucket < span.value ->> 1"
)
_SUMS = (
    "SELECT json_group_array(json_array(place, " + ", ".join(PULSE_COLUMNS) + ")) FROM ("  # noqa: S608  # our own names
    "SELECT span.key AS place, "
    + ", ".join(f"sum({name}) AS {name}" for name in PULSE_COLUMNS)
    + f" FROM {_SPAN.format('pulse')} GROUP BY span.key)"
)
_INTENTS = (
    "SELECT json_group_array(json_array(place, name, questions)) FROM ("  # noqa: S608  # our own names
    "SELECT span.key AS place, name, sum(questions) AS questions "
    f"FROM {_SPAN.format('intent')} GROUP BY span.key, name)"
)


def sums_by_period(connection: Connection, periods: Periods) -> list[dict[str, int]]:
    """The sums of each period by their names (PULSE_COLUMNS), in order."""
    sums = [dict.fromkeys(PULSE_COLUMNS, 0) for _ in periods.spans]
    for place, *values in _found(connection, _SUMS, periods):
        sums[place] = dict(zip(PULSE_COLUMNS, values, strict=True))
    return sums


def intents_by_period(connection: Connection, periods: Periods) -> list[dict[str, int]]:
    """How many questions of each period were about what, most first."""
    counts: list[dict[str, int]] = [{} for _ in periods.spans]
    for place, name, questions in sorted(_found(connection, _INTENTS, periods), key=_most_first):
        counts[place][name] = questions
    return counts


def _found(connection: Connection, statement: str, periods: Periods) -> Any:
    spans = orjson.dumps(periods.spans).decode()
    return orjson.loads(connection.exec_driver_sql(statement, (spans,)).scalar_one())


def _most_first(row: Any) -> tuple[int, str]:
    return -row[2], row[1]
