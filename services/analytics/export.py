"""All records as a file, page by page, so that memory stays flat.

SQLite itself writes the lines: a page comes as one value, no object is made for a row, and Python's
lock is free meanwhile (docs/decisions/0033). Words of combinations are put in as finished pieces
from two small tables of the connection's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson
from sqlalchemy import Connection

from services.analytics.combination import Dictionary
from services.analytics.queries import RecordFinder, Span
from services.analytics.schemas import EventRecord, RecordFilter

MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
PAGE_ROWS = 2_000
# A spreadsheet takes a cell that begins so for a formula, or ends the cell at it; full-width signs
# count where input methods write them. https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_SQL_STARTS = "'=+-@＝＋－＠' || char(9, 13, 10)"
# Without it Excel takes UTF-8 for the machine's old code page, and Chinese for noise.
_QUOTE = '"'
_SPECIAL = frozenset('",\r\n')
_BYTE_ORDER_MARK = "\ufeff"

_FACET = frozenset(
    ("kind", "service", "provider", "model", "status", "error_type", "end_reason"),
)
_TRAIT = frozenset(
    (
        *("requested_model", "assistant", "finish_reason", "stream", "usage_source"),
        *("fallback_from", "attempts", "cache", "collection", "mode", "cause", "top_k"),
    )
)
_TIME = (
    "strftime('%Y-%m-%dT%H:%M:%S', (e.key >> 10) / 1000000, 'unixepoch') "
    "|| format('.%06dZ', (e.key >> 10) % 1000000)"
)
_ID = (
    "lower(format('%s-%s-%s-%s-%s', hex(substr(e.id, 1, 4)), hex(substr(e.id, 5, 2)), "
    "hex(substr(e.id, 7, 2)), hex(substr(e.id, 9, 2)), hex(substr(e.id, 11, 6))))"
)
_SCALED = {
    "cost_usd": "e.cost_nano_usd / 1e9",
    "duration_seconds": "e.duration_us / 1e6",
    "first_token_seconds": "e.first_token_us / 1e6",
}
_NUMBERS = frozenset(("input_tokens", "output_tokens", "total_found", "top_score", *_SCALED))
_IDENTIFIERS = frozenset(("request_id", "visitor_id", "rated_request_id"))
_RATING = "CASE e.rating WHEN 1 THEN 'up' WHEN -1 THEN 'down' END"


def head(form: str) -> bytes:
    """What comes before the first record."""
    if form == "jsonl":
        return b""
    return (_BYTE_ORDER_MARK + ",".join(EventRecord.model_fields) + "\r\n").encode()


def page(
    connection: Connection,
    dictionary: Dictionary,
    wanted: RecordFilter,
    form: str,
    cursor: str | None,
) -> tuple[bytes, str | None]:
    """(records as CSV (RFC 4180) or as one JSON object a line, cursor of the next page or None)."""
    keys = RecordFinder(connection, dictionary).keys(wanted, PAGE_ROWS, cursor)
    _put_words(connection, dictionary)
    values: tuple[object, ...]
    if isinstance(keys, Span):
        where, values = "e.key >= ? AND e.key < ?", (keys.first, keys.end)
    else:
        where = "e.key IN (SELECT value FROM json_each(?))"
        values = (orjson.dumps(keys).decode(),)
    statement = _STATEMENTS[form].format(where=where, limit=PAGE_ROWS)
    count, last, lines = connection.exec_driver_sql(statement, values).one()
    return lines or b"", str(last) if count == PAGE_ROWS else None


def _put_words(connection: Connection, dictionary: Dictionary) -> None:
    """Brings the connection's pieces of lines up to date."""
    both: dict[str, Mapping[int, Any]] = {"facet": dictionary.facets, "trait": dictionary.traits}
    for name, known in both.items():
        places = _PLACES[name]
        columns = ", ".join(f"{form}_{column}" for form in _FORMS for column in places)
        connection.exec_driver_sql(
            f"CREATE TEMP TABLE IF NOT EXISTS {name}_words (id INTEGER PRIMARY KEY, {columns})"
        )
        last = connection.exec_driver_sql(
            f"SELECT coalesce(max(id), 0) FROM {name}_words"  # noqa: S608  # our own names
        ).scalar_one()
        rows = [
            (number, *(_FORMS[form](asdict(words)[c]) for form in _FORMS for c in places))
            for number, words in list(known.items())
            if number > last
        ]
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            connection.exec_driver_sql(f"INSERT INTO {name}_words VALUES ({marks})", rows)  # noqa: S608  # marks only


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _cell(value: Any) -> str:
    """A text that would be a formula gets an apostrophe before it; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        value = "'" + value
    text = "" if value is None else str(value)
    return f'"{text.replace(_QUOTE, _QUOTE * 2)}"' if _SPECIAL.intersection(text) else text


_FORMS: dict[str, Callable[[Any], str]] = {"jsonl": _json, "csv": _cell}
_PLACES: dict[str, Sequence[str]] = {
    "facet": [name for name in EventRecord.model_fields if name in _FACET],
    "trait": [name for name in EventRecord.model_fields if name in _TRAIT],
}


def _expression(name: str, form: str) -> str:
    """SQL for one field of a record."""
    if name in _FACET:
        return f"f.{form}_{name}"
    if name in _TRAIT:
        return f"t.{form}_{name}"
    return _json_expression(name) if form == "jsonl" else _csv_expression(name)


def _source(name: str) -> str:
    if name in _SCALED:
        return _SCALED[name]
    return {"id": _ID, "time": _TIME, "session_id": "s.name", "rating": _RATING}.get(
        name, f"e.{name}"
    )


def _json_expression(name: str) -> str:
    source = _source(name)
    if name in ("id", "time"):
        return f"'\"' || {source} || '\"'"
    if name in _NUMBERS:
        return f"coalesce({source}, 'null')"
    if name in _IDENTIFIERS:
        return (
            f"CASE typeof({source}) WHEN 'blob' THEN '\"' || lower(hex({source})) || '\"' "
            f"WHEN 'null' THEN 'null' ELSE json_quote({source}) END"
        )
    if name == "citations":
        return "coalesce(e.citations, '[]')"
    if name == "attributes":
        return "coalesce(e.extra, '{{}}')"
    return f"json_quote({source})"


def _csv_expression(name: str) -> str:
    source = _source(name)
    if name in ("id", "time", "rating") or name in _NUMBERS:
        return f"coalesce({source}, '')"
    if name in _IDENTIFIERS:
        quoted = _quoted(source)
        return f"CASE typeof({source}) WHEN 'blob' THEN lower(hex({source})) ELSE {quoted} END"
    if name == "citations":
        return _quoted("nullif(e.citations, '[]')")
    return _quoted("e.extra" if name == "attributes" else source)


def _quoted(source: str) -> str:
    """A cell of text: harmless, and in quotes."""
    safe = f"iif(instr({_SQL_STARTS}, substr({source}, 1, 1)), '''', '') || {source}"
    return f"coalesce('\"' || replace({safe}, '\"', '\"\"') || '\"', '')"


def _statement(form: str, fields: Iterable[str]) -> str:
    """One value for a page: https://www.sqlite.org/lang_aggfunc.html#group_concat"""
    names = list(fields)
    if form == "jsonl":
        shape = "{{" + ",".join(f'"{name}":%s' for name in names) + "}}"
        end = "char(10)"
    else:
        shape, end = ",".join(["%s"] * len(names)), "char(13, 10)"
    values = ", ".join(_expression(name, form) for name in names)
    return (
        "SELECT count(*), min(key), CAST(group_concat(line, '') AS BLOB) FROM ("  # noqa: S608  # our own words
        f"SELECT e.key AS key, format('{shape}', {values}) || {end} AS line FROM event AS e "
        "JOIN facet_words AS f ON f.id = e.facet JOIN trait_words AS t ON t.id = e.trait "
        "LEFT JOIN session AS s ON s.id = e.session "
        "WHERE {where} ORDER BY e.key DESC LIMIT {limit})"
    )


_STATEMENTS = {form: _statement(form, EventRecord.model_fields) for form in _FORMS}
