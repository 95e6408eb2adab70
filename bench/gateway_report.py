"""What the gateway suite says: the targets, the tables and the chart."""

from collections.abc import Sequence

from bench.chart import Row, dot_chart
from bench.report import Chart, Result, Table, figure, mark
from bench.summary import Summary, Target

RELAY_DELAY = "paced streams, relay delay of a chunk, p50"
FIRST_BYTE = "paced streams, time to the first chunk, p50"
NOISY_SHARE = 0.15

TARGETS = (
    Target("flood, chunks/s", "flood", "chunks_per_second", "at least", 0.60, relative=True),
    Target(
        "JSON calls, 32 connections, calls/s",
        "json32",
        "calls_per_second",
        "at least",
        0.20,
        relative=True,
    ),
    Target("JSON call, one connection, p50", "json1", "p50_ms", "at most", 4.0, relative=True),
    Target(RELAY_DELAY, "paced", "relay_p50_ms", "at most", 1.5, relative=True),
    Target(FIRST_BYTE, "paced", "first_p50_ms", "at most", 2.0, relative=True),
    Target(
        "paced streams, CPU of a chunk", "paced", "cpu_us_per_chunk", "at most", 2.0, relative=True
    ),
    Target(
        "caller leaves → upstream closed, worst p99 of three phases",
        "disconnect",
        "worst_p99_ms",
        "at most",
        20.0,
        "ms",
    ),
    Target("caller leaves, upstream calls that went on", "disconnect", "errors", "at most", 0.0),
    Target("slow streams held, errors", "hold", "errors", "at most", 0.0),
    Target(
        "slow streams held, memory of each over idle",
        "hold",
        "rss_kb_per_stream",
        "at most",
        40.0,
        "kB",
    ),
    Target("memory after many streams against after 1,000", "growth", "growth", "at most", 1.1),
    Target("start to the first answer", "start", "seconds", "at most", 1.5, "s"),
    Target("idle memory (RSS)", "start", "idle_rss_mb", "at most", 90.0, "MB"),
    Target("answers that were wrong, cut or late", "all", "errors", "at most", 0.0),
    Target("calls without their record in analytics", "inspection", "missing", "at most", 0.0),
)

# scenario, metric, heading, is a ratio to the yardstick shown with it
COLUMNS = (
    ("json1", "p50_ms", "C1 p50 ms", True),
    ("json1", "p99_ms", "C1 p99 ms", True),
    ("json32", "calls_per_second", "C32 calls/s", True),
    ("json32", "p50_ms", "C32 p50 ms", True),
    ("json32", "cpu_us_per_call", "C32 CPU µs/call", True),
    ("paced", "first_p50_ms", "paced first chunk p50 ms", True),
    ("paced", "relay_p50_ms", "paced relay p50 ms", True),
    ("paced", "relay_p99_ms", "paced relay p99 ms", True),
    ("paced", "cpu_us_per_chunk", "paced CPU µs/chunk", True),
    ("flood", "chunks_per_second", "flood chunks/s", True),
    ("flood", "cpu_us_per_chunk", "flood CPU µs/chunk", True),
    ("flood", "chunks_per_read", "flood chunks/read", False),
    ("disconnect", "waiting_p50_ms", "left before the first chunk, p50 ms", False),
    ("disconnect", "flowing_p50_ms", "left while chunks flow, p50 ms", False),
    ("disconnect", "silent_p50_ms", "left while upstream is silent, p50 ms", False),
    ("disconnect", "worst_p99_ms", "left, worst p99 ms", False),
    ("disconnect", "errors", "left, upstream call goes on", False),
    ("hold", "upstream_streams", "slow streams open upstream", False),
    ("hold", "errors", "slow streams failed", False),
    ("hold", "rss_kb_per_stream", "slow stream RSS kB", False),
    ("hold", "pss_kb_per_stream", "slow stream PSS kB", False),
    ("growth", "growth", "memory growth", False),
    ("start", "seconds", "start s", False),
    ("start", "idle_rss_mb", "idle RSS MB", False),
    ("start", "idle_pss_mb", "idle PSS MB", False),
    ("all", "errors", "wrong answers", False),
)

INTRODUCTION = """\
One process of `llm_proxy` with everything on: the caller's credential, limits, metering, the access
log, and an outbox that a real `analytics` process empties. It calls a mock upstream through its
`openai_compatible` provider. The caller holds a virtual key that has every kind of limit (calls and
tokens a minute, calls at once, a budget a day and a month), each too high to be reached.

The contender has core 0 to itself; the upstream, the driver and `analytics` (niced) share core 1.
Contenders take turns within each round; a figure is the median over {rounds} rounds, a ratio the
median of the ratios to {base} in the same round. C1 and C32 are JSON calls over 1 and 32
connections; *paced* is 20 streams of 50 chunks, 20 ms apart, that begin one after the other;
*flood* is 32 streams of 200 chunks without delay; a slow stream sends one chunk a second, and
{held:,} are open at once. Each chunk
holds the time at which it was sent, so delays are measured per chunk on one clock; an answer counts
only when all of its chunks came, once and in order. CPU and memory are those of all processes of
the contender, from `/proc`. Taken in {minutes:.0f} minutes."""


def result(
    summary: Summary,
    *,
    notes: Sequence[tuple[str, str]],
    subject: str,
    rounds: int,
    held_streams: int,
    minutes: float,
    warnings: Sequence[str],
) -> Result:
    """The suite's result; `subject` is held against the targets."""
    introduction = INTRODUCTION.format(
        rounds=rounds, base=summary.base, held=held_streams, minutes=minutes
    )
    verdicts = [target.holds(target.reached_by(summary, subject)) for target in TARGETS]
    return Result(
        suite="gateway",
        title="The gateway",
        introduction=introduction,
        tables=[
            targets_table(summary, subject),
            figures_table(summary),
            Table("The contenders", ("contender", "what it is"), notes),
        ],
        charts=[chart(summary)] if any(verdicts) else [],
        warnings=[*warnings, *quietness(summary)],
        raw=[vars(sample) for sample in summary.samples],
        reached=all(verdict is not False for verdict in verdicts),
    )


def targets_table(summary: Summary, subject: str) -> Table:
    others = [name for name in summary.contenders() if name != subject]
    rows = []
    for target in TARGETS:
        reached = target.reached_by(summary, subject)
        rows.append(
            [
                target.work,
                target.requirement(summary.base),
                figure(reached, target.unit),
                mark(target.holds(reached)),
                *(figure(target.reached_by(summary, name), target.unit) for name in others),
            ]
        )
    columns = ("work", "must reach", subject, "", *others)
    return Table(f"What must be reached, as ratios to {summary.base} or in units", columns, rows)


def figures_table(summary: Summary) -> Table:
    names = summary.contenders()
    rows = []
    for scenario, metric, heading, with_ratio in COLUMNS:
        row = [heading]
        for name in names:
            text = figure(summary.median(name, scenario, metric))
            times = summary.ratio(name, scenario, metric) if with_ratio else None
            row.append(f"{text} ({figure(times)})" if times is not None else text)
        rows.append(row)
    note = f"Medians; in brackets the ratio to {summary.base} of the same round."
    return Table("All figures", ("", *names), rows, note)


def chart(summary: Summary) -> Chart:
    rows = []
    for target in TARGETS:
        if target.relative:
            found = {name: target.reached_by(summary, name) for name in summary.contenders()}
            ratios = {
                name: value for name, value in found.items() if value and name != summary.base
            }
            rows.append(Row(target.work, target.limit, target.bound == "at least", ratios))
    title = f"Beside {summary.base} as a plain proxy (green: what Trivet must reach)"
    alternative = f"Ratios of each contender to {summary.base}, by work; the table says the same"
    return Chart("benchmarks.svg", alternative, dot_chart(title, summary.base, rows))


def quietness(summary: Summary) -> list[str]:
    """A warning where others kept this machine busy while it measured."""
    shares = sorted(
        share
        for sample in summary.samples
        if (share := sample.figures.get("foreign_busy_share")) is not None
    )
    noisy = [share for share in shares if share > NOISY_SHARE]
    if not shares or len(noisy) * 10 < len(shares):
        return []
    return [
        f"The machine was not quiet: in {len(noisy)} of {len(shares)} measurements other processes "
        f"took more than {NOISY_SHARE:.0%} of a core (up to {shares[-1]:.0%})."
    ]
