"""The engines: one that writes durably, one that reads, one that reads everything once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from services.analytics.questions import hash_of
from services.analytics.settings import Settings
from services.analytics.words import folded
from services.kernel.database import migrate, open_engine

_SCRIPTS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Database:
    """`data/analytics.db`, seen through three engines."""

    writing: Engine
    reading: Engine
    exporting: Engine

    def dispose(self) -> None:
        for engine in (self.exporting, self.reading, self.writing):
            engine.dispose()


def open_database(settings: Settings) -> Database:
    """Opens the database and brings its schema up to date. Blocks."""
    path = settings.database_path
    writing = open_engine(path, pool_size=1)
    event.listen(writing, "connect", _keep_each_commit)
    migrate(writing, _SCRIPTS, settings.migration_lock_path)
    # An export passes every page once: caching or mapping them would only fill the memory.
    exporting = open_engine(path, cache_mib=2, mmap_mib=0, pool_size=2)
    reading = open_engine(path, pool_size=8)
    for engine in (reading, exporting):
        event.listen(engine, "connect", _teach)
    return Database(writing, reading, exporting)


def _keep_each_commit(connection: Any, _record: object) -> None:
    """A sender deletes what was answered, so an answer must survive a power cut. With many events
    in one commit that costs little. https://www.sqlite.org/pragma.html#pragma_synchronous

    The same pages (the newest records, the sums of today) are written again and again: the log may
    grow to 32 MB before they are carried over, which halves what is written to the disk."""
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=8000")


def _teach(connection: Any, _record: object) -> None:
    """Functions of ours that queries use, and the words of the text index as a table:
    https://www.sqlite.org/fts5.html#the_fts5vocab_virtual_table_module"""
    connection.create_function("analytics_folded", 1, folded, deterministic=True)
    connection.create_function("analytics_hash", 1, hash_of, deterministic=True)
    connection.execute(
        "CREATE VIRTUAL TABLE temp.event_vocabulary USING fts5vocab('main', 'event_words', 'row')"
    )
