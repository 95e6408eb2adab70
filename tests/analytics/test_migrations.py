"""The schema that migrations make is the one that the models describe."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from services.analytics.database import open_database
from services.analytics.models import AnalyticsTable
from services.analytics.settings import Settings
from tests.analytics.conftest import serve
from tests.analytics.making import chat


def _described(name: str | None, kind: str, _parents: object) -> bool:
    """FTS5 keeps tables of its own."""
    return not (kind == "table" and str(name).startswith("event_words"))


def test_migrated_and_described_are_the_same(tmp_path: Path) -> None:
    database = open_database(Settings(data_dir=tmp_path))
    with database.reading.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": _described}
        )
        assert compare_metadata(context, AnalyticsTable.metadata) == []
        made = text("SELECT sql FROM sqlite_master WHERE name = :name")
        assert "AUTOINCREMENT" in str(connection.scalar(made, {"name": "batch"}))
        for name in ("rollup", "rollup_day", "question_day"):
            assert "WITHOUT ROWID" in str(connection.scalar(made, {"name": name}))
    database.dispose()


RELEASED = Path(__file__).parent / "released"


def test_a_database_of_the_first_release_keeps_what_it_knows(tmp_path: Path) -> None:
    """`released/0001.sql` was written by the first release: eight records, and the sums of three
    more that a cleanup had taken."""
    with closing(sqlite3.connect(tmp_path / "analytics.db")) as connection:
        connection.executescript((RELEASED / "0001.sql").read_text(encoding="utf-8"))
    expected = orjson.loads((RELEASED / "0001.json").read_bytes())
    for service in serve(Settings(data_dir=tmp_path)):
        told = service.statistics(days=60, tz="Asia/Shanghai")
        for name, value in expected["statistics"].items():
            if name == "top_queries":
                assert _sorted(told[name]) == _sorted(value)
            elif name in ("by_model", "by_provider", "series"):
                assert [row | old for row, old in zip(told[name], value, strict=True)] == told[name]
            else:
                assert told[name] == value, name
        records = service.queries()
        assert [record | old for record, old in zip(records, expected["records"], strict=True)] == (
            records
        )
        assert service.get("health")["rows"] == len(records)
        found = service.queries(text="备份")
        assert [record["text"] for record in found] == ["如何备份", "如何备份"]
        assert len(service.queries(session="s1")) == 2
        again = service.send(chat("new"))
        assert again["accepted"] == 1
        service.clean_up(older_than_days=1)
        assert [record["text"] for record in service.queries()] == ["new"]
        assert service.queries(text="备份") == []


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(row["text"]))


def test_two_instances_may_start_together(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with ThreadPoolExecutor(2) as pool:
        opened = list(pool.map(lambda _n: open_database(settings), range(2)))
    for database in opened:
        with database.reading.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM event")) == 0
        database.dispose()
