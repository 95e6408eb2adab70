"""What is done without being asked, by one instance at a time."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from services.analytics import chores
from services.analytics.database import open_database
from services.analytics.lease import claim, release
from services.analytics.settings import Settings
from tests.analytics.conftest import Service, serve
from tests.analytics.making import chat
from tests.support.wait import until

SECOND_US = 1_000_000


def test_a_lease_is_held_by_one_until_it_is_given_back_or_over(tmp_path: Path) -> None:
    engine = open_database(Settings(data_dir=tmp_path)).writing
    assert claim(engine, "job", "a", 10 * SECOND_US, 60) == 0
    assert claim(engine, "job", "b", 11 * SECOND_US, 60) is None
    assert claim(engine, "job", "a", 12 * SECOND_US, 60) == 0
    release(engine, "job", "a", 12 * SECOND_US)
    assert claim(engine, "job", "b", 13 * SECOND_US, 60) == 12 * SECOND_US
    assert claim(engine, "job", "a", 74 * SECOND_US, 60) == 12 * SECOND_US  # b has died
    release(engine, "job", "b", 75 * SECOND_US)  # and is too late
    assert claim(engine, "job", "b", 76 * SECOND_US, 60) is None
    engine.dispose()


def _only_one(service: Service) -> bool:
    return len(service.queries()) == 1


def test_old_records_go_by_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores, "_LOOK_SECONDS", 0.05)
    settings = Settings(data_dir=tmp_path, retention_days=30)
    for first in serve(Settings(data_dir=tmp_path, retention_days=0)):
        first.send(chat("old", ago=timedelta(days=31)), chat("new", ago=timedelta(days=29)))
    for second in serve(settings):
        until(partial(_only_one, second), 10, "the old record is gone")
        assert second.queries()[0]["text"] == "new"
        assert second.statistics(days=60)["total_questions"] == 2
