"""What the analytics suite found, as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.analytics_data import DAYS
from bench.analytics_load import CONNECTIONS, EVENTS_PER_CALL, FILTERS
from bench.figures import percentile
from bench.report import Result, Table, figure, mark

STATISTICS: Sequence[Mapping[str, object]] = ({"days": 30}, {"days": 30, "tz": "Asia/Shanghai"})
INTRODUCTION = """\
One process of `analytics`. Its records are stored by the product's own code, in process and without
waiting for the disk: {events} of them over {days} days, chats, searches and votes with questions in
Chinese and English; the small database has a tenth of them. Intake is measured apart, over HTTP
into a new database: over {connections} connections in calls of {per_call} events, each checked,
redacted and durable (`synchronous=FULL`) before it is answered. Reads go over HTTP, one at a time;
a page is 100 records at a random place of the last 150 days, for each of {filters} combinations of
filters. Reads beside intake are these pages, and statistics after every twentieth; another process
sends events as fast as they are taken meanwhile. Drivers share the machine with the service."""


@dataclass(frozen=True)
class Intake:
    events_per_second: float
    cpu_us: float
    executemany_per_second: float
    refused: int


@dataclass(frozen=True)
class Beside:
    """ms of reads while events come in as fast as they are taken, and how many did a second."""

    pages: list[float]
    statistics: list[float]
    events_per_second: float

    @property
    def reads(self) -> list[float]:
        return [*self.pages, *self.statistics]


@dataclass(frozen=True)
class Export:
    form: str
    rows_per_second: float
    over_idle_mib: float


@dataclass(frozen=True)
class Figures:
    """All that was measured; `small` and `large`: p50 of each of `STATISTICS`, in ms; `pages`:
    (filters, p50, p95) in ms; `bytes_per_event` without text."""

    events: int
    intake: Intake
    bytes_per_event: float
    small: Sequence[float]
    large: Sequence[float]
    pages: Sequence[tuple[str, float, float]]
    exports: Sequence[Export]
    beside: Beside


def result(found: Figures) -> Result:
    """The suite's result."""
    rows = _reached(found)
    tables = [
        Table("What must be reached", ("work", "must reach", "found", ""), rows),
        Table(
            "A page of 100 records, by filters",
            ("filters", "p50 ms", "p95 ms"),
            [[words, figure(p50), figure(p95)] for words, p50, p95 in found.pages],
            "`*` is another day or conversation each time.",
        ),
        Table("Other figures", ("", "found"), _details(found)),
    ]
    return Result(
        suite="analytics",
        title="Analytics",
        introduction=INTRODUCTION.format(
            events=f"{found.events:,}",
            days=DAYS,
            filters=len(FILTERS),
            connections=CONNECTIONS,
            per_call=EVENTS_PER_CALL,
        ),
        tables=tables,
        raw=[{"heading": table.heading, "rows": table.rows} for table in tables],
        reached=all(row[3] != "✗" for row in rows),
    )


def _reached(found: Figures) -> list[tuple[str, str, str, str]]:
    tenth = f"{found.events // 10:,}"
    intake = found.intake
    share = intake.events_per_second / intake.executemany_per_second
    growth = max(b / a for a, b in zip(found.small, found.large, strict=True))
    page = max(found.pages, key=lambda page: page[1])
    rate = min(item.rows_per_second for item in found.exports)
    memory = max(item.over_idle_mib for item in found.exports)
    beside = percentile(found.beside.reads, 0.99)
    size = found.bytes_per_event
    return [
        _least("events in, over HTTP, one process", 10_000, intake.events_per_second, "/s"),
        _least("the same, to sqlite3's executemany", 0.1, share, ""),
        _most(f"statistics of 30 days of {found.events:,}, p50", 150, max(found.large), "ms"),
        _most(f"the same, to {tenth}", 2, growth, "×"),
        _most(f"a page of 100 anywhere, worst filters ({page[0]}), p50", 10, page[1], "ms"),
        _least(f"export of {tenth}, the slower format", 100_000, rate, "/s"),
        _most("the same, peak memory over idle", 50, memory, "MiB"),
        _most("reads while events come in, p99", 100, beside, "ms"),
        _most("on the disk, indexes included, without text", 300, size, "bytes"),
    ]


def _details(found: Figures) -> list[list[str]]:
    times = zip(STATISTICS, found.small, found.large, strict=True)
    return [
        ["CPU of an event, µs", figure(found.intake.cpu_us)],
        ["sqlite3's executemany, rows/s", figure(found.intake.executemany_per_second)],
        ["calls refused for want of room", figure(float(found.intake.refused))],
        ["events in beside reads, /s", figure(found.beside.events_per_second)],
        ["pages beside, p50 / p99, ms", _both(found.beside.pages)],
        ["statistics beside, p50 / p99, ms", _both(found.beside.statistics)],
        *(
            [f"statistics, {params.get('tz', 'UTC')}, ms, a tenth / all", f"{a:.3g} / {b:.3g}"]
            for params, a, b in times
        ),
        *([f"export as {e.form}, rows/s", figure(e.rows_per_second)] for e in found.exports),
    ]


def _both(took: Sequence[float]) -> str:
    return f"{figure(percentile(took, 0.5))} / {figure(percentile(took, 0.99))}"


def _least(work: str, limit: float, found: float, unit: str) -> tuple[str, str, str, str]:
    return work, f"≥ {limit:,} {unit}".strip(), figure(found, unit), mark(found >= limit)


def _most(work: str, limit: float, found: float | None, unit: str) -> tuple[str, str, str, str]:
    holds = None if found is None else found <= limit
    return work, f"≤ {limit:,} {unit}".strip(), figure(found, unit), mark(holds)
