"""SQLite as we open it."""

import sqlite3
import threading
from pathlib import Path

from sqlalchemy import text

from services.kernel.database import open_engine, read, write


def test_the_pragmas_are_in_force(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "sub" / "x.db")
    with read(engine) as connection:
        for pragma, value in {"journal_mode": "wal", "synchronous": 1, "auto_vacuum": 2}.items():
            assert connection.execute(text(f"PRAGMA {pragma}")).scalar() == value
    engine.dispose()


def test_writers_wait_for_one_another(tmp_path: Path) -> None:
    """Read-then-write in one transaction would fail at once if it began deferred."""
    engine = open_engine(tmp_path / "x.db", pool_size=8)
    with write(engine) as connection:
        connection.execute(text("CREATE TABLE n (value INTEGER)"))
        connection.execute(text("INSERT INTO n VALUES (0)"))

    def count() -> None:
        for _ in range(50):
            with write(engine) as connection:
                value = connection.execute(text("SELECT value FROM n")).scalar_one()
                connection.execute(text("UPDATE n SET value = :v"), {"v": value + 1})

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with read(engine) as connection:
        assert connection.execute(text("SELECT value FROM n")).scalar_one() == 200
    engine.dispose()


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "x.db")
    with write(engine) as connection:
        connection.execute(text("CREATE TABLE n (value INTEGER)"))
    try:
        with write(engine) as connection:
            connection.execute(text("INSERT INTO n VALUES (1)"))
            raise LookupError
    except LookupError:
        pass
    engine.dispose()
    plain = sqlite3.connect(tmp_path / "x.db")
    assert plain.execute("SELECT count(*) FROM n").fetchone() == (0,)
    plain.close()


def test_a_new_connection_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    writer = open_engine(tmp_path / "a.db")
    reader = open_engine(tmp_path / "a.db")
    with write(writer) as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
    with write(writer) as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        # With SQLite's default of 5 s it would fail after that time, and the test with it.
        with read(reader) as other:
            assert other.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0
            assert other.exec_driver_sql("PRAGMA auto_vacuum").scalar() == 2
    writer.dispose()
    reader.dispose()
