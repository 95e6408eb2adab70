"""The engines: one that writes durably, one that reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from services.analytics.settings import Settings
from services.kernel.database import migrate, open_engine

_SCRIPTS = Path(__file__).parent / "migrations"


def open_database(settings: Settings) -> tuple[Engine, Engine]:
    """(writing engine, reading engine) on `data/analytics.db`, its schema brought up to date."""
    writing = open_engine(settings.database_path, pool_size=1)
    event.listen(writing, "connect", _sync_each_commit)
    migrate(writing, _SCRIPTS, settings.migration_lock_path)
    return writing, open_engine(settings.database_path, pool_size=8)


def _sync_each_commit(connection: Any, _record: object) -> None:
    """A sender deletes what was answered, so an answer must survive a power cut. With many events
    in one commit that costs little. https://www.sqlite.org/pragma.html#pragma_synchronous"""
    connection.execute("PRAGMA synchronous=FULL")
