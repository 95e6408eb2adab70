"""The analytics suite: one process, a database as large as a busy site's after half a year."""

import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.analytics_data import DAYS, fill
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
)
from bench.contenders import ROOT, clean_environ
from bench.figures import percentile
from bench.options import Options, Unavailable
from bench.process import cpu_seconds, free_port, running
from bench.report import Result, Table, figure, mark
from bench.trivet import wait_for_analytics
from services.analytics.database import open_database
from services.analytics.settings import Settings
from services.kernel.auth import ensure_token
from services.kernel.database import read

FULL_EVENTS, QUICK_EVENTS = 10_000_000, 200_000
BYTES_PER_EVENT_ON_DISK = 400  # with text and room to work, for the look at the disk
STATISTICS: Sequence[Mapping[str, object]] = ({"days": 30}, {"days": 30, "tz": "Asia/Shanghai"})
INTAKE_CALLS, QUICK_INTAKE_CALLS = 800, 150
INTRODUCTION = """\
One process of `analytics`. Its records are made by the product's own writer: {events} of them over
{days} days, chats, searches and votes with questions in Chinese and English; the small database
has a tenth of them. Reads go over HTTP, one at a time; a page is 100 records at a random place of
the last 150 days, for each of {filters} combinations of filters. Events come over {connections}
connections in calls of {per_call}, checked, redacted and durable (`synchronous=FULL`) before they
are answered; the driver shares the machine with the service."""


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


@dataclass(frozen=True)
class Intake:
    events_per_second: float
    cpu_us: float
    executemany_per_second: float
    refused: int


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


def reads_beside_intake(target: Target, calls: int) -> tuple[list[float], float]:
    """(ms of reads while events come in as fast as they are taken, events a second meanwhile)."""
    waiting = bodies(calls)
    connection = target.connect()
    places = Places(target, connection)
    took: list[float] = []
    began = time.perf_counter()
    with intake(target, waiting) as sender:
        number = 0
        while sender.accepted < (calls - 10) * EVENTS_PER_CALL and not sender.refused:
            params = places.filled(FILTERS[number % len(FILTERS)], 150)
            took.append(1000 * get(target, connection, "queries", params)[0])
            number += 1
            if number % 20 == 0:
                took.append(1000 * get(target, connection, "statistics", {"days": 30})[0])
    return took, sender.accepted / (time.perf_counter() - began)


@dataclass(frozen=True)
class Export:
    form: str
    rows_per_second: float
    over_idle_mib: float


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
    say(f"Writing {events // 10:,} records twice, and {events:,}")
    fill(folder / "wordless", events // 10, text=False)
    size = bytes_per_event(folder / "wordless")
    shutil.rmtree(folder / "wordless")
    for name, count in (("small", events // 10), ("large", events)):
        took = fill(folder / name / "data", count)
        say(f"  {count:,} records in {took:.0f} s")
    with serving(folder / "small") as target:
        small = statistics_ms(target, times)
        exports = measure_exports(target)
    with serving(folder / "large") as target:
        large = statistics_ms(target, times)
        pages = pages_ms(target, times)
        reads, beside = reads_beside_intake(target, calls)
    return _result(events, taken, size, (small, large), pages, exports, (reads, beside))


def _result(
    events: int,
    taken: Intake,
    size: float,
    statistics: tuple[Sequence[float], Sequence[float]],
    pages: Sequence[tuple[str, float, float]],
    exports: Sequence[Export],
    beside: tuple[Sequence[float], float],
) -> Result:
    small, large = statistics
    worst_page = max(pages, key=lambda page: page[1])
    share = taken.events_per_second / taken.executemany_per_second
    growth = max(b / a for a, b in zip(small, large, strict=True))
    slowest = min(item.rows_per_second for item in exports)
    memory = max(item.over_idle_mib for item in exports)
    reads, rate = beside
    p99 = percentile(reads, 0.99)
    rows = [
        _row(
            "events in, over HTTP, one process", 10_000, taken.events_per_second, "/s", least=True
        ),
        _row("the same, to sqlite3's executemany", 0.1, share, "", least=True),
        _row(f"statistics of 30 days of {events:,}, p50", 150, max(large), "ms"),
        _row(f"the same, to {events // 10:,}", 2, growth, "×"),
        _row(
            f"a page of 100 anywhere, worst filters ({worst_page[0]}), p50", 10, worst_page[1], "ms"
        ),
        _row(f"export of {events // 10:,}, the slower format", 100_000, slowest, "/s", least=True),
        _row("the same, peak memory over idle", 50, memory, "MiB"),
        _row("reads while events come in, p99", 100, p99, "ms"),
        _row("on the disk, indexes included, without text", 300, size, "bytes"),
    ]
    details = [
        ["CPU of an event, µs", figure(taken.cpu_us)],
        ["sqlite3's executemany, rows/s", figure(taken.executemany_per_second)],
        ["calls refused for want of room", figure(float(taken.refused))],
        ["events in beside reads, /s", figure(rate)],
        ["reads beside, p50, ms", figure(percentile(reads, 0.5))],
        *(
            [f"statistics, {params.get('tz', 'UTC')}, ms, a tenth / all", f"{a:.3g} / {b:.3g}"]
            for params, a, b in zip(STATISTICS, small, large, strict=True)
        ),
        *([f"export as {e.form}, rows/s", figure(e.rows_per_second)] for e in exports),
    ]
    tables = [
        Table("What must be reached", ("work", "must reach", "found", ""), rows),
        Table(
            "A page of 100 records, by filters",
            ("filters", "p50 ms", "p95 ms"),
            [[words, figure(p50), figure(p95)] for words, p50, p95 in pages],
            "`*` is another day or conversation each time.",
        ),
        Table("Other figures", ("", "found"), details),
    ]
    return Result(
        suite="analytics",
        title="Analytics",
        introduction=INTRODUCTION.format(
            events=f"{events:,}",
            days=DAYS,
            filters=len(FILTERS),
            connections=4,
            per_call=EVENTS_PER_CALL,
        ),
        tables=tables,
        raw=[{"heading": table.heading, "rows": table.rows} for table in tables],
        reached=all(row[3] != "✗" for row in rows),
    )


def _row(
    work: str, limit: float, found: float | None, unit: str, *, least: bool = False
) -> tuple[str, str, str, str]:
    holds = None if found is None else (found >= limit if least else found <= limit)
    sign = "≥" if least else "≤"
    return work, f"{sign} {limit:,} {unit}".strip(), figure(found, unit), mark(holds)
