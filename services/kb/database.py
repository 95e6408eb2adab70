"""kb's database as asynchronous code sees it: transactions run in threads, never on the loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from anyio import to_thread
from sqlalchemy import Connection, Engine, event

from services.kb import catalogue
from services.kb.settings import Settings
from services.kernel.database import migrate, open_engine, read, write

_SCRIPTS = Path(__file__).parent / "migrations"

T = TypeVar("T")


class Database:
    """An engine, and transactions on it in a thread."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in a read transaction: one snapshot."""

        def run() -> T:
            with read(self.engine) as connection:
                return work(connection)

        return await to_thread.run_sync(run)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in a write transaction: all of it, or nothing."""

        def run() -> T:
            with write(self.engine) as connection:
                return work(connection)

        return await to_thread.run_sync(run)


def open_database(settings: Settings) -> Database:
    """`data/kb.db`, its schema brought up to date, with the collections `site` and `poems`."""
    engine = open_engine(settings.database_path, cache_mib=16)
    event.listen(engine, "connect", _delete_securely)
    migrate(engine, _SCRIPTS, settings.migration_lock_path)
    with write(engine) as connection:
        names = [row.name for row in catalogue.every(connection)]
        if catalogue.DEFAULT_COLLECTION not in names:
            catalogue.create(connection, catalogue.DEFAULT_COLLECTION, open_to_all=True)
        if catalogue.POEMS_COLLECTION not in names:
            catalogue.create(connection, catalogue.POEMS_COLLECTION)
    return Database(engine)


def _delete_securely(connection: Any, _record: object) -> None:
    """What is deleted is overwritten. https://www.sqlite.org/pragma.html#pragma_secure_delete"""
    connection.execute("PRAGMA secure_delete=ON")
