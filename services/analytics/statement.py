"""Bulk inserts as the driver takes them: rows as tuples, without a dict for each."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Table


def insert_text(target: Table, columns: Sequence[str], *, replace: bool = False) -> str:
    """An insert for `Connection.exec_driver_sql` with tuples in the order of `columns`."""
    verb = "INSERT OR REPLACE" if replace else "INSERT"
    names = ", ".join(target.c[name].name for name in columns)
    marks = ", ".join("?" * len(columns))
    return f"{verb} INTO {target.name} ({names}) VALUES ({marks})"  # our own names


def marks(count: int) -> str:
    """So many places for values, in brackets."""
    return f"({', '.join('?' * count)})"
