"""The analytics suite: one process, a database as large as a busy site's after half a year."""

import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from bench.analytics_data import fill
from bench.analytics_load import (
    EVENTS_PER_CALL,
    FILTERS,
    Places,
    Target,
    bodies,
    export,
    get,
    intake,
    resident_bytes,
    sending,
)
from bench.analytics_report import STATISTICS, Beside, Export, Figures, Intake, result
from bench.contenders import ROOT, clean_environ
from bench.figures import percentile
from bench.options import Options, Unavailable
from bench.process import cpu_seconds, free_port, running
from bench.report import Result
from bench.trivet import wait_for_analytics
from services.analytics.database import open_database
from services.analytics.settings import Settings
from services.kernel.auth import ensure_token
from services.kernel.database import read

FULL_EVENTS, QUICK_EVENTS = 10_000_000, 200_000
BYTES_PER_EVENT_ON_DISK = 400  # with text and room to work, for the look at the disk
INTAKE_CALLS, QUICK_INTAKE_CALLS = 800, 150


@contextmanager
def serving(folder: Path) -> Iterator[Target]:
    """An analytics process on the database in `folder/data`."""
    token = ensure_token(folder / "data" / "admin-token")
    port = free_port()
    environ = clean_environ(
        PYTHONPATH=str(ROOT),
        PYTHONUNBUFFERED="1",
        MALLOC_ARENA_MAX="2",
        TRIVET_DATA_DIR=str(folder / "data"),
        TRIVET_RUN_DIR=str(folder / "run"),
        TRIVET_INSTANCES="1",
        ANALYTICS_PORT=str(port),
        ANALYTICS_RETENTION_DAYS="0",
    )
    log = folder / "analytics.log"
    argv = [sys.executable, "-m", "services.analytics"]
    with running(argv, log=log, cwd=folder, environ=environ) as process:
        wait_for_analytics(f"http://127.0.0.1:{port}", token, log)
        service_token = (folder / "data" / "service-token").read_text().strip()
        yield Target(port, process.pid, token, service_token)


def statistics_ms(target: Target, times: int) -> list[float]:
    """The median of each of the statistics asked for, in ms."""
    connection = target.connect()
    found = []
    for params in STATISTICS:
        took = [get(target, connection, "statistics", params)[0] for _ in range(times)]
        found.append(1000 * (percentile(took[1:], 0.5) or 0.0))
    return found


def pages_ms(target: Target, times: int) -> list[tuple[str, float, float]]:
    """(filters, median, 95th percentile) for each combination, in ms."""
    connection = target.connect()
    places = Places(target, connection)
    found = []
    for wanted in FILTERS:
        asked = [places.filled(wanted, 150) for _ in range(times)]
        took = [1000 * get(target, connection, "queries", params)[0] for params in asked]
        words = ", ".join(f"{name}={value}" for name, value in wanted.items()) or "none"
        found.append((words, percentile(took, 0.5) or 0.0, percentile(took, 0.95) or 0.0))
    return found


def measure_intake(folder: Path, calls: int) -> Intake:
    """Events over HTTP into a new database, and the same rows by sqlite3 alone."""
    waiting = bodies(calls)
    with serving(folder) as target:
        before = cpu_seconds([target.pid])
        began = time.perf_counter()
        with intake(target, waiting) as sender:
            while sender.accepted < calls * EVENTS_PER_CALL and not sender.refused:
                time.sleep(0.01)
        took = time.perf_counter() - began
        used = cpu_seconds([target.pid]) - before
    accepted = max(sender.accepted, 1)
    bare = executemany_per_second(folder / "data" / "analytics.db", folder / "bare")
    return Intake(accepted / took, 1e6 * used / accepted, bare, sender.refused)


def executemany_per_second(written: Path, folder: Path) -> float:
    """Rows a second of sqlite3's executemany into a table and indexes like those of `event`, in
    batches of a hundred, each durable: what the database alone would allow."""
    with sqlite3.connect(written) as source:
        rows = source.execute("SELECT * FROM event").fetchall()
    open_database(Settings(data_dir=folder)).dispose()
    marks = ", ".join("?" * len(rows[0]))
    with sqlite3.connect(folder / "analytics.db", isolation_level=None) as bare:
        bare.execute("PRAGMA journal_mode=WAL")
        bare.execute("PRAGMA synchronous=FULL")
        began = time.perf_counter()
        for start in range(0, len(rows), EVENTS_PER_CALL):
            bare.execute("BEGIN IMMEDIATE")
            some = rows[start : start + EVENTS_PER_CALL]
            bare.executemany(f"INSERT INTO event VALUES ({marks})", some)  # noqa: S608
            bare.execute("COMMIT")
        return len(rows) / (time.perf_counter() - began)


def reads_beside_intake(target: Target, calls: int) -> Beside:
    """Twenty pages, statistics, twenty pages and so on; a process of its own sends, so that reads
    do not wait for the sender."""
    connection = target.connect()
    places = Places(target, connection)
    found = Beside([], [], 0.0)
    with sending(target, calls) as sender:
        while sender.goes_on():
            number = len(found.pages)
            params = places.filled(FILTERS[number % len(FILTERS)], 150)
            found.pages.append(1000 * get(target, connection, "queries", params)[0])
            if number % 20 == 19:
                took = get(target, connection, "statistics", {"days": 30})[0]
                found.statistics.append(1000 * took)
    return replace(found, events_per_second=sender.events_per_second)


def measure_exports(target: Target) -> list[Export]:
    found = []
    for form in ("csv", "jsonl"):
        idle = resident_bytes(target.pid)
        peak: list[int] = [idle]
        rows, took = export(target, form, peak)
        found.append(Export(form, rows / took, (max(peak) - idle) / 2**20))
    return found


def bytes_per_event(folder: Path) -> float:
    """All of the file by all records, of a database without texts."""
    database = open_database(Settings(data_dir=folder))
    with read(database.reading) as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM event").scalar_one()
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        size = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    database.dispose()
    return float(pages * size / count)


def run(options: Options) -> Result:
    """Fill, serve, ask.

    Raises:
        Unavailable: the temporary folder has no room.
    """
    events = options.events or (QUICK_EVENTS if options.quick else FULL_EVENTS)
    folder = Path(tempfile.mkdtemp(prefix="trivet-analytics-"))
    try:
        needed = int(events * 1.3 * BYTES_PER_EVENT_ON_DISK) + 2**30
        if shutil.disk_usage(folder).free < needed:
            raise Unavailable(f"{needed / 1e9:.0f} GB are needed in {folder.parent}")
        return _measured(folder, events, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measured(folder: Path, events: int, options: Options) -> Result:
    say = options.console.print
    times = options.rounds or (5 if options.quick else 15)
    calls = QUICK_INTAKE_CALLS if options.quick else INTAKE_CALLS
    say(f"Intake: {calls} calls of {EVENTS_PER_CALL} events")
    taken = measure_intake(folder / "intake", calls)
    say(f"Writing {events // 10:,} records twice, and beside them {events:,}")
    with ProcessPoolExecutor(1, get_context("spawn")) as aside:
        all_of_them = aside.submit(fill, folder / "large" / "data", events)
        fill(folder / "wordless", events // 10, text=False)
        size = bytes_per_event(folder / "wordless")
        shutil.rmtree(folder / "wordless")
        fill(folder / "small" / "data", events // 10)
        say(f"  {events:,} records in {all_of_them.result():.0f} s")
    with serving(folder / "small") as target:
        small = statistics_ms(target, times)
        exports = measure_exports(target)
    with serving(folder / "large") as target:
        large = statistics_ms(target, times)
        pages = pages_ms(target, times)
        beside = reads_beside_intake(target, 2 * calls)
    found = Figures(events, taken, size, small, large, pages, exports, beside)
    return result(found)
