"""One writer: durable before it answers, bounded, and at peace with a second instance."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from sqlalchemy import Engine, event, text

from services.analytics.app import create_app
from services.analytics.database import open_database
from services.analytics.intake import Record, take_in
from services.analytics.settings import Settings
from services.analytics.writer import EventWriter
from services.kernel.errors import InternalError, Overloaded
from tests.analytics.conftest import Service
from tests.analytics.making import NOW, Event, chat
from tests.support.server import running
from tests.support.wait import until

pytestmark = pytest.mark.anyio


@contextmanager
def engine_of(folder: Path) -> Iterator[Engine]:
    database = open_database(Settings(data_dir=folder))
    try:
        yield database.writing
    finally:
        database.dispose()


def records(*events: Event) -> list[Record]:
    found = take_in(events, store_questions=True, now=NOW)
    assert not found.rejected
    return [record for _, record in found.records]


def count(folder: Path, what: str = "event") -> int:
    with closing(sqlite3.connect(folder / "analytics.db")) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {what}").fetchone()[0])  # noqa: S608


@contextmanager
def holding_the_lock(folder: Path) -> Iterator[None]:
    """Another process in the middle of a write transaction."""
    with closing(sqlite3.connect(folder / "analytics.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


async def test_an_answer_means_that_others_can_read_the_events(tmp_path: Path) -> None:
    with engine_of(tmp_path) as engine:
        async with EventWriter(engine, max_waiting_events=1_000) as writer:
            stored = await writer.write(records(chat(), chat()))
            assert (stored.accepted, stored.duplicates) == (2, 0)
            assert count(tmp_path) == 2
            assert writer.lag_seconds() == 0.0


async def test_each_commit_is_synced_to_the_disk(tmp_path: Path) -> None:
    with engine_of(tmp_path) as engine, engine.connect() as connection:
        assert connection.scalar(text("PRAGMA synchronous")) == 2
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA auto_vacuum")) == 2


async def test_batches_that_wait_together_share_a_transaction(tmp_path: Path) -> None:
    with engine_of(tmp_path) as engine:
        begun: list[object] = []
        event.listen(engine, "commit", begun.append)
        async with (
            EventWriter(engine, max_waiting_events=1_000) as writer,
            anyio.create_task_group() as group,
        ):
            with holding_the_lock(tmp_path):
                for _ in range(20):
                    group.start_soon(writer.write, records(chat()))
                await anyio.wait_all_tasks_blocked()
    assert count(tmp_path) == 20
    assert len(begun) <= 3


async def test_the_same_event_in_two_batches_at_once_counts_once(tmp_path: Path) -> None:
    with engine_of(tmp_path) as engine:
        batch = records(chat())
        outcomes = []

        async def write() -> None:
            outcomes.append(await writer.write(batch))

        async with (
            EventWriter(engine, max_waiting_events=1_000) as writer,
            anyio.create_task_group() as group,
        ):
            for _ in range(5):
                group.start_soon(write)
    assert sorted(o.accepted for o in outcomes) == [0, 0, 0, 0, 1]
    assert count(tmp_path) == 1


async def test_a_full_queue_says_when_to_come_again(tmp_path: Path) -> None:
    with engine_of(tmp_path) as engine:
        async with EventWriter(engine, max_waiting_events=3) as writer:
            async with anyio.create_task_group() as group:
                with holding_the_lock(tmp_path):
                    group.start_soon(writer.write, records(chat(), chat()))
                    await anyio.wait_all_tasks_blocked()
                    assert writer.waiting_events == 2
                    assert writer.lag_seconds() > 0
                    with pytest.raises(Overloaded) as refused:
                        await writer.write(records(chat(), chat()))
                    assert refused.value.headers["Retry-After"] == "1"
            await writer.write(records(chat(), chat()))
    assert count(tmp_path) == 4


async def test_a_database_that_is_held_for_long_is_an_overload(tmp_path: Path) -> None:
    with engine_of(tmp_path) as engine:
        event.listen(engine, "checkout", _without_patience)
        async with EventWriter(engine, max_waiting_events=100) as writer:
            with holding_the_lock(tmp_path), pytest.raises(Overloaded):
                await writer.write(records(chat()))
            assert (await writer.write(records(chat()))).accepted == 1


def _without_patience(connection: Any, _record: object, _proxy: object) -> None:
    connection.execute("PRAGMA busy_timeout=10")


async def test_one_bad_batch_does_not_spoil_those_that_wait_with_it(tmp_path: Path) -> None:
    with engine_of(tmp_path) as engine:
        broken = records(chat(model="new-word"))
        broken[0].request_id = None  # type: ignore[assignment]  # what no intake would let through
        good = records(chat(model="new-word"))
        failures: list[Exception] = []

        async def write_broken() -> None:
            try:
                await writer.write(broken)
            except InternalError as exc:
                failures.append(exc)

        async with EventWriter(engine, max_waiting_events=100) as writer:
            async with anyio.create_task_group() as group:
                with holding_the_lock(tmp_path):
                    group.start_soon(write_broken)
                    group.start_soon(writer.write, good)
                    await anyio.wait_all_tasks_blocked()
            assert writer.alive
    assert len(failures) == 1
    assert count(tmp_path) == 1
    assert count(tmp_path, "label WHERE text = 'new-word'") == 1


async def test_stopping_writes_what_was_taken(tmp_path: Path) -> None:
    with engine_of(tmp_path) as engine:
        async with (
            anyio.create_task_group() as group,
            EventWriter(engine, max_waiting_events=1_000) as writer,
        ):
            for _ in range(10):
                group.start_soon(writer.write, records(chat()))
            await anyio.wait_all_tasks_blocked()
        assert not writer.alive
        with pytest.raises(Overloaded):
            await writer.write(records(chat()))
    assert count(tmp_path) == 10


async def test_words_past_the_bound_count_as_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.analytics.labels._MAX_LABELS", 10)
    with engine_of(tmp_path) as engine:
        async with EventWriter(engine, max_waiting_events=1_000) as writer:
            for n in range(30):
                await writer.write(records(chat(model=f"invented-{n}")))
    assert count(tmp_path) == 30
    assert count(tmp_path, "label") <= 12
    assert count(tmp_path, "label WHERE text = '(other)'") == 1


def test_two_instances_on_one_file_count_each_event_once(service: Service) -> None:
    events = [chat(f"q{n % 7}", session_id=f"s{n % 5}") for n in range(300)]
    batches = [events[n : n + 30] for n in range(0, 300, 10)]
    with running(create_app(service.settings, now=lambda: NOW)) as second:

        def post(number: int) -> dict[str, Any]:
            url = second if number % 2 else service.base_url
            body = {"events": batches[number]}
            answer = service.neighbour.post(f"{url}/api/analytics/events", json=body)
            assert answer.status_code == 200
            found: dict[str, Any] = answer.json()
            return found

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(post, range(len(batches))))
    assert sum(answer["accepted"] for answer in answers) == 300
    told = service.statistics()
    assert (told["total_questions"], told["total_sessions"]) == (300, 5)
    assert service.get("health")["rows"] == 300


def test_a_full_queue_is_503_over_http(tmp_path: Path) -> None:
    small = Settings(data_dir=tmp_path, writer_max_events=1_000)
    batch = {"events": [chat() for _ in range(600)]}
    with running(create_app(small, now=lambda: NOW)) as url:
        token = small.service_token_path.read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}

        def post(_number: int) -> httpx.Response:
            return httpx.post(f"{url}/api/analytics/events", json=batch, headers=headers)

        with ThreadPoolExecutor(3) as pool:
            with holding_the_lock(small.data_dir):
                posts = [pool.submit(post, number) for number in range(3)]
                until(lambda: sum(p.done() for p in posts) == 2, what="two are refused")
            answers = sorted((p.result() for p in posts), key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [200, 503, 503]
    assert answers[2].json()["error"]["type"] == "overloaded_error"
    assert int(answers[2].headers["Retry-After"]) >= 1
