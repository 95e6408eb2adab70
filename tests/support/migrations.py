"""Alembic's upgrade of an empty database, worked out once in a test run and repeated word for word.

Each test that starts a service makes databases anew; working out what to execute takes a tenth of a
second, executing it a hundredth. The first upgrade of each set of migrations is Alembic's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, inspect

Statements = list[tuple[str, Any]]


@contextmanager
def repeated() -> Iterator[None]:
    """Within it upgrades of empty databases to `head` are repeated where they can be."""
    known: dict[str, Statements] = {}
    real = command.upgrade

    def upgrade(config: Config, revision: str, *rest: Any, **options: Any) -> None:
        connection: Connection | None = config.attributes.get("connection")
        scripts = config.get_main_option("script_location") or ""
        if connection is None or revision != "head" or inspect(connection).get_table_names():
            real(config, revision, *rest, **options)
        elif scripts in known:
            for statement, parameters in known[scripts]:
                connection.exec_driver_sql(statement, parameters)
        else:
            with _noted(connection) as statements:
                real(config, revision, *rest, **options)
            known[scripts] = statements

    command.upgrade = upgrade
    try:
        yield
    finally:
        command.upgrade = real


@contextmanager
def _noted(connection: Connection) -> Iterator[Statements]:
    statements: Statements = []

    def note(*told: Any) -> None:
        _connection, _cursor, statement, parameters, *_ = told
        statements.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    yield statements
    event.remove(connection, "before_cursor_execute", note)
