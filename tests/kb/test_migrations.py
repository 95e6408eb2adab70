"""The migrations make exactly the tables that the models describe."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.kb.database import open_database
from services.kb.models import KbTable
from services.kernel.database import read
from tests.kb.conftest import settings_of


def test_a_migrated_database_is_what_the_models_say(tmp_path: Path) -> None:
    database = open_database(settings_of(tmp_path))

    def own(_object: object, name: str | None, kind: str, *_: object) -> bool:
        return kind != "table" or not str(name).startswith("terms_")

    with read(database.engine) as connection:
        options = {"include_object": own, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, KbTable.metadata) == []
    database.engine.dispose()


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    first = open_database(settings_of(tmp_path))
    first.engine.dispose()
    again = open_database(settings_of(tmp_path))
    with read(again.engine) as connection:
        names = connection.exec_driver_sql("SELECT name FROM collections").scalars().all()
        assert sorted(names) == ["poems", "site"]
    again.engine.dispose()
