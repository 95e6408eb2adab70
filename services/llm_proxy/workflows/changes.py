"""Whether anybody has written to the database since one last looked, at next to no cost.

SQLite counts the commits of all other connections, of other processes too, in memory that they
share: asking for the count reads no page. https://www.sqlite.org/pragma.html#pragma_data_version
"""

from __future__ import annotations

from itertools import count
from threading import Lock
from typing import Any

from sqlalchemy import Engine, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError


class Changes:
    """The count, on a connection of its own: counts of two connections cannot be compared.

    Elsewhere than on SQLite every look finds a change. `version` and `close` block: call them in a
    thread, in any at any time.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._looks = None if engine.dialect.name == "sqlite" else count()
        self._connection: PoolProxiedConnection | None = None
        self._lock = Lock()

    def version(self) -> int:
        """Another number than before when something has been written since. Raises DBAPIError."""
        if self._looks is not None:
            return next(self._looks)
        with self._lock:
            if self._connection is None:
                self._connection = self._engine.raw_connection()
            return int(self._asked(self._connection))

    def _asked(self, connection: Any) -> int:
        statement = "PRAGMA data_version"
        try:
            return int(connection.driver_connection.execute(statement).fetchone()[0])
        except self._engine.dialect.loaded_dbapi.Error as exc:
            raise DBAPIError(statement, None, exc) from exc

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
