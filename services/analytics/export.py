"""All records as a file: read and written page by page, so that memory stays flat."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from services.analytics.schemas import EventRecord

MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
_COLUMNS = tuple(EventRecord.model_fields)
# A spreadsheet takes a cell that begins so for a formula, or ends the cell at it; full-width signs
# count where input methods write them. https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Without it Excel takes UTF-8 for the machine's old code page, and Chinese for noise.
_BYTE_ORDER_MARK = "\ufeff"


def head(form: str) -> bytes:
    """What comes before the first record."""
    return (_BYTE_ORDER_MARK + _lines([_COLUMNS])).encode() if form == "csv" else b""


def encode(records: Sequence[Mapping[str, Any]], form: str) -> bytes:
    """Records as CSV (RFC 4180) or as one JSON object a line."""
    if form == "csv":
        return _lines([[_cell(record[name]) for name in _COLUMNS] for record in records]).encode()
    return b"".join(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records)


def _lines(rows: Sequence[Sequence[object]]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    """A text that would be a formula gets an apostrophe before it; numbers stay numbers."""
    if isinstance(value, list | dict):
        return orjson.dumps(value).decode() if value else ""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return value
