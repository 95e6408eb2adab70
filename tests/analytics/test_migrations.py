"""The schema that migrations make is the one that the models describe."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from services.analytics.database import open_database
from services.analytics.models import AnalyticsTable
from services.analytics.settings import Settings


def test_migrated_and_described_are_the_same(tmp_path: Path) -> None:
    database = open_database(Settings(data_dir=tmp_path))
    with database.reading.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, AnalyticsTable.metadata) == []
        made = text("SELECT sql FROM sqlite_master WHERE name = :name")
        assert "AUTOINCREMENT" in str(connection.scalar(made, {"name": "event"}))
        for name in ("rollup", "session"):
            assert "WITHOUT ROWID" in str(connection.scalar(made, {"name": name}))
    database.dispose()


def test_two_instances_may_start_together(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with ThreadPoolExecutor(2) as pool:
        opened = list(pool.map(lambda _n: open_database(settings), range(2)))
    for database in opened:
        with database.reading.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM event")) == 0
        database.dispose()
