"""After deletions: nothing of what was deleted stays in the database's files.

SQLite overwrites deleted rows (`secure_delete`), but FTS5 only notes that a passage is gone and
keeps its words until segments are merged, and the write-ahead log keeps old pages until it is
written back and cut. Both are done here, in small steps, when there is nothing else to do.
https://www.sqlite.org/fts5.html#the_merge_command
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from anyio import to_thread
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import OperationalError

from services.kb import catalogue
from services.kb.database import Database
from services.kb.models import COLLECTIONS

_PAGES_AT_ONCE = 200


class Scrubber:
    """One process at a time may use it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run_some(self) -> bool:
        """Does a step; False when everything is clean."""
        if await self._database.read(_is_unclean):
            await self._database.write(_merge_some)
            return True
        await to_thread.run_sync(self._cut_log)
        return False

    def _cut_log(self) -> None:
        """Writes the log back and empties it, if it holds anything. While others read it stays,
        and is tried again."""
        log = Path(f"{self._database.engine.url.database}-wal")
        if not log.is_file() or not log.stat().st_size:
            return
        with self._database.engine.connect() as connection, suppress(OperationalError):
            driver = connection.connection.driver_connection
            assert driver is not None  # noqa: S101  # it is connected
            driver.execute("PRAGMA incremental_vacuum").fetchall()
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _is_unclean(connection: Connection) -> bool:
    unclean = select(COLLECTIONS.c.id).where(COLLECTIONS.c.unclean == 1)
    return connection.execute(unclean.limit(1)).first() is not None


def _merge_some(connection: Connection) -> None:
    """Merges some segments of the words of a collection that needs it."""
    unclean = select(COLLECTIONS.c.id).where(COLLECTIONS.c.unclean == 1).limit(1)
    collection_id = connection.execute(unclean).scalar()
    if collection_id is None:
        return
    collection = catalogue.by_id(connection, collection_id)
    if not collection.lexical.merge_some(connection, _PAGES_AT_ONCE):
        clean = update(COLLECTIONS).where(COLLECTIONS.c.id == collection_id)
        connection.execute(clean.values(unclean=0))
