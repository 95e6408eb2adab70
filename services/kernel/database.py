"""SQLite (or another database by URL): engine, PRAGMAs, short write transactions, migrations."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, inspect, text
from sqlalchemy.engine import make_url

_WRITES = "trivet_writes"

# Measured with 1M and 10M narrow rows; https://www.sqlite.org/pragma.html explains each.
_PRAGMAS = (
    "PRAGMA busy_timeout=5000",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
)


def open_engine(
    location: str | Path, *, cache_mib: int = 64, mmap_mib: int = 256, pool_size: int = 4
) -> Engine:
    """An engine for a SQLite file (its folder is made) or for any SQLAlchemy URL."""
    if isinstance(location, Path):
        location.parent.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{location}"
    else:
        url = location
    engine = create_engine(url, pool_size=pool_size, max_overflow=pool_size)
    if make_url(url).get_backend_name() == "sqlite":
        own = (f"PRAGMA cache_size=-{cache_mib * 1024}", f"PRAGMA mmap_size={mmap_mib * 1024**2}")
        _tune_sqlite(engine, (*_PRAGMAS, *own))
    return engine


def _tune_sqlite(engine: Engine, pragmas: tuple[str, ...]) -> None:
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see below
        # Must come before the first table is made, and not again: it writes, so that a new
        # connection would have to wait for whoever writes at that time.
        if not connection.execute("PRAGMA page_count").fetchone()[0]:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        for pragma in pragmas:
            connection.execute(pragma)

    def begun(connection: Connection) -> None:
        # A deferred transaction that turns to writing fails at once when another one writes;
        # BEGIN IMMEDIATE waits for its turn (busy_timeout). https://www.sqlite.org/lang_transaction.html
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


@contextmanager
def write(engine: Engine) -> Iterator[Connection]:
    """A short write transaction: committed at the end, rolled back on an exception."""
    with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        yield connection


@contextmanager
def read(engine: Engine) -> Iterator[Connection]:
    """A read transaction: one snapshot for all that is read in it."""
    with engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """An exclusive lock between processes; waits for it. A process that dies frees it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def migrate(engine: Engine, script_location: Path, lock_path: Path) -> None:
    """Brings the schema to its newest revision; instances that start together take turns.

    `script_location` holds `versions/0001_….py` and so on, each with its number as its revision.
    """
    if _is_current(engine, script_location):
        return
    from alembic import command  # slow to import, needed once at start-up
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(script_location))
    with file_lock(lock_path), write(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _is_current(engine: Engine, script_location: Path) -> bool:
    """Whether the newest migration has run: Alembic, which knows, takes a second to import."""
    newest = max(path.name for path in (script_location / "versions").glob("[0-9]*.py"))
    with read(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return bool(found == newest.partition("_")[0])


def run_migrations(metadata: MetaData) -> None:
    """What each service's `migrations/env.py` calls."""
    from alembic import context  # only inside a migration

    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
