"""From a recording process to the database, whoever is killed on the way."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import anyio
import pytest

from services.analytics.identifier import unpacked
from services.kernel.outbox import DiskOutbox
from services.kernel.outbox.pace import Pace
from services.kernel.settings import CommonSettings
from tests.support.ports import free_port
from tests.support.wait import until

ROOT = Path(__file__).parents[2]
KILLS = 50  # of each side


class Processes:
    """One sender and one analytics on the same folder; each may be killed and started again."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.base_url = f"http://127.0.0.1:{free_port()}"
        self._stack = stack
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TRIVET_DATA_DIR": str(folder / "data"),
            "TRIVET_INSTANCES": "1",
            "ANALYTICS_PORT": self.base_url.rpartition(":")[2],
        }

    def settings(self) -> CommonSettings:
        return CommonSettings(
            data_dir=self.folder / "data", instances=1, analytics_urls=(self.base_url,)
        )

    def start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.DEVNULL,
        )
        self._stack.callback(kill, process)
        return process

    def start_analytics(self) -> subprocess.Popen[bytes]:
        """Begins to start it: whoever sends has to wait."""
        return self.start("services.analytics")

    def start_sender(self, run: int) -> subprocess.Popen[bytes]:
        process = self.start("tests.analytics.sender", str(self.folder), str(run))
        until(lambda: self.ledger()[str(run)], 30, "the sender records")
        return process

    def ledger(self) -> Counter[str]:
        """How many events of each run are on disk for sure."""
        path = self.folder / "ledger"
        found: Counter[str] = Counter()
        for line in path.read_text().splitlines() if path.exists() else []:
            run, number = line.split()
            found[run] = int(number)
        return found

    def stored(self) -> list[str]:
        with closing(sqlite3.connect(self.folder / "data" / "analytics.db")) as connection:
            rows = connection.execute("SELECT request_id FROM event")
            return [str(unpacked(row[0])) for row in rows]

    def count_stored(self) -> int:
        path = self.folder / "data" / "analytics.db"
        if not path.exists():
            return 0
        with closing(sqlite3.connect(path)) as connection:
            known = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'event'")
            if known.fetchone() == (0,):
                return 0
            count: int = connection.execute("SELECT count(*) FROM event").fetchone()[0]
        return count

    def count_recorded(self) -> int:
        return self.ledger().total()

    def waiting(self) -> list[Path]:
        return list(self.folder.glob("data/outbox/*/0*.jsonl"))


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def _wait_for_more(count: Callable[[], int], what: str) -> None:
    before = count()
    until(lambda: count() > before, 30, what)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with ExitStack() as stack:
        yield Processes(tmp_path, stack)


@pytest.mark.process
@pytest.mark.timeout(1_800)
def test_each_event_is_stored_exactly_once_though_both_sides_are_killed(
    processes: Processes,
) -> None:
    analytics = processes.start_analytics()
    for run in range(KILLS):
        sender = processes.start_sender(run)
        _wait_for_more(processes.count_stored, "events are stored")
        kill(analytics)
        _wait_for_more(processes.count_recorded, "events wait on disk")
        kill(sender)
        analytics = processes.start_analytics()
    asyncio.run(_until_sent(processes, "llm_proxy"))
    stored_ids = processes.stored()
    assert len(stored_ids) == len(set(stored_ids))
    for name, number in processes.ledger().items():
        expected = {f"{name}-{n}" for n in range(number)}
        assert expected <= set(stored_ids)
    with closing(sqlite3.connect(processes.folder / "data/analytics.db")) as connection:
        count = (len(stored_ids),)
        for name in ("rollup", "rollup_day", "pulse"):
            found = connection.execute(f"SELECT sum(events) FROM {name}").fetchone()  # noqa: S608
            assert found == count


@pytest.mark.process
def test_all_that_was_recorded_while_analytics_was_away_arrives_once(processes: Processes) -> None:
    async def record() -> None:
        async with DiskOutbox("kb", processes.settings(), pace=Pace(drain_seconds=0)) as outbox:
            for n in range(5_000):
                outbox.record("search", {"trivet.query": f"q{n}"}, request_id=f"request-{n}")

    asyncio.run(record())
    assert processes.waiting()
    processes.start_analytics()
    asyncio.run(_until_sent(processes, "kb"))
    stored = processes.stored()
    assert len(stored) == 5_000
    assert set(stored) == {f"request-{n}" for n in range(5_000)}


async def _until_sent(processes: Processes, service: str) -> None:
    """Opens the outbox as a restarted service does, until nothing waits in it."""
    async with DiskOutbox(service, processes.settings()):
        wait = partial(until, lambda: not processes.waiting(), 240, "all is sent")
        await anyio.to_thread.run_sync(wait)
