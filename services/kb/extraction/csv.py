"""CSV → one record a row, each value behind the name of its column.

The anchor of a row is RFC 7111's: `#row=2` is the first row after the header.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from services.kb.extraction.block import About, Block, Extracted
from services.kb.extraction.text import decoded
from services.kernel.errors import Unprocessable

_DELIMITERS = ",;\t|"
_SAMPLE_CHARACTERS = 8_192
_MAX_FIELD_CHARACTERS = 1_000_000


def read_csv(path: Path) -> Extracted:
    """The first row names the columns."""
    return Extracted(About(), _records(decoded(path)))


def _records(text: str) -> Iterator[Block]:
    csv.field_size_limit(_MAX_FIELD_CHARACTERS)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        names = next(rows, [])
        for number, row in enumerate(rows, start=2):
            record = _record(names, row)
            if record:
                yield Block("place", "", anchor=f"row={number}")
                yield Block("record", record)
    except csv.Error as exc:
        raise Unprocessable(f"The CSV cannot be read from line {rows.line_num} on.") from exc


def _delimiter(text: str) -> str:
    """Whatever stands most often in the first line; quoted names seldom hold any."""
    first = text[:_SAMPLE_CHARACTERS].lstrip().partition("\n")[0]
    return max(_DELIMITERS, key=first.count)


def _record(names: Sequence[str], row: Sequence[str]) -> str:
    lines = []
    for number, value in enumerate(row):
        name = names[number].strip() if number < len(names) else ""
        if value.strip():
            lines.append(f"{name}: {value.strip()}" if name else value.strip())
    return "\n".join(lines)
