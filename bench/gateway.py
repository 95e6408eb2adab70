"""The gateway suite: llm_proxy with all its features on, beside nginx as a plain proxy."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import orjson
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench import gateway_report
from bench.contenders import (
    DIRECT,
    LOAD_CORE,
    RELAY,
    ROOT,
    Bed,
    Contender,
    DidNotStart,
    Running,
)
from bench.job import Figures, Job, as_argument
from bench.nginx import NGINX
from bench.options import Options, Unavailable
from bench.peers import PEERS, provide
from bench.plan import FULL, QUICK, Plan
from bench.process import free_port, pin, raise_file_limit, running, settle
from bench.report import Result
from bench.summary import Sample, Summary
from bench.trivet import TRIVET

DRIVER_LIMIT_SECONDS = 200.0
QUIET_WAIT_SECONDS = 1.0


class Session:
    """One run of the suite: the upstream, the samples so far, what went wrong."""

    def __init__(self, bed: Bed, upstream_pid: int, progress: Progress) -> None:
        self.bed, self.upstream_pid, self.progress = bed, upstream_pid, progress
        self.samples: list[Sample] = []
        self.warnings: list[str] = []
        self.task = progress.add_task("", total=None)

    def expect(self, steps: int) -> None:
        self.progress.update(self.task, total=steps)

    def drive(
        self, contender: Contender, started: Running, name: str, round_: int, **job: object
    ) -> None:
        """One scenario against one contender, by a driver of its own."""
        self.progress.update(self.task, description=f"{name}: {contender.name}")
        settle(QUIET_WAIT_SECONDS)
        try:
            figures = drive(self.job(started, job))
        except (subprocess.SubprocessError, ValueError) as exc:
            figures = {"errors": 1.0}
            self.warnings.append(f"{contender.name}, {name}: the driver failed ({exc})")
        self.samples.append(Sample(contender.name, name, round_, figures))
        self.progress.advance(self.task)

    def add_up(self, contender: Contender, works: Mapping[str, object]) -> None:
        """The wrong answers of all rounds, as a figure of their own."""
        wrong = sum(
            sample.figures.get("errors") or 0
            for sample in self.samples
            if sample.contender == contender.name and sample.scenario in works
        )
        self.samples.append(Sample(contender.name, "all", 0, {"errors": wrong}))

    def job(self, started: Running, given: Mapping[str, object]) -> Job:
        job = Job(
            **given,  # type: ignore[arg-type]  # the plan's own words
            url=started.url,
            headers=started.headers,
            upstream_port=self.bed.upstream_port,
            pids=started.pids,
            own_pids=(self.upstream_pid, *started.companions),
            idle_rss_bytes=started.idle.rss_bytes if started.idle else 0,
            idle_pss_bytes=started.idle.pss_bytes if started.idle else 0,
        )
        return replace(job, model=started.model_prefix + job.model)

    @contextmanager
    def started(self, contender: Contender, round_: int) -> Iterator[Running | None]:
        """A fresh start of a contender; None, and a warning, where it did not come up."""
        with ExitStack() as stack:
            try:
                begun = stack.enter_context(contender.start(self.bed))
            except (DidNotStart, FileNotFoundError) as exc:
                self.warnings.append(f"{contender.name} did not start: {exc}")
                yield None
                return
            if begun.idle is not None:
                figures: Figures = {
                    "seconds": begun.start_seconds,
                    "idle_rss_mb": begun.idle.rss_bytes / 1e6,
                    "idle_pss_mb": begun.idle.pss_bytes / 1e6,
                }
                self.samples.append(Sample(contender.name, "start", round_, figures))
            yield begun


def drive(job: Job) -> Figures:
    """Run the driver on the load's core.

    Raises:
        subprocess.SubprocessError: it failed or took too long.
        ValueError: what it printed is no JSON.
    """
    done = subprocess.run(
        [sys.executable, "-m", "bench.load", as_argument(job)],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=DRIVER_LIMIT_SECONDS,
        preexec_fn=lambda: pin(LOAD_CORE),
    )
    figures: Figures = orjson.loads(done.stdout)
    return figures


def fresh(session: Session, plan: Plan, contenders: Sequence[Contender]) -> None:
    """What is measured on processes that did nothing before: memory."""
    for contender in contenders:
        if contender is DIRECT:
            continue
        with session.started(contender, 0) as begun:
            if begun is not None:
                session.drive(contender, begun, "hold", 0, **plan.hold)
    with session.started(TRIVET, 1) as begun:
        if begun is not None:
            session.drive(TRIVET, begun, "growth", 0, **plan.growth)


def rounds(session: Session, plan: Plan, count: int, contenders: Sequence[Contender]) -> None:
    """All contenders up at once, each work of each round done by one after the other."""
    with ExitStack() as stack:
        begun = {c: stack.enter_context(session.started(c, 2)) for c in contenders}
        alive = [(c, started) for c, started in begun.items() if started is not None]
        for number in range(count):
            shift = number % len(alive)  # nobody is always the first
            for name, job in plan.works.items():
                for contender, started in alive[shift:] + alive[:shift]:
                    session.drive(contender, started, name, number, **job)
        for contender, started in alive:
            job = {"scenario": "disconnect", "streams": plan.leavers}
            session.drive(contender, started, "disconnect", 0, **job)
            session.add_up(contender, plan.works)
            if found := started.inspect():
                session.samples.append(Sample(contender.name, "inspection", 0, found))


def measure(plan: Plan, options: Options, contenders: Sequence[Contender]) -> Session:
    count = options.rounds or plan.rounds
    port = free_port()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with (
        Progress(*columns, console=options.console, transient=True) as progress,
        running(
            [sys.executable, "-m", "bench.upstream", str(port)],
            log=options.folder / "upstream.log",
            cwd=ROOT,
            core=LOAD_CORE,
        ) as upstream,
    ):
        session = Session(Bed(options.folder, port), upstream.pid, progress)
        session.expect(len(contenders) * (count * len(plan.works) + 2))
        fresh(session, plan, contenders)
        rounds(session, plan, count, contenders)
    return session


def run(options: Options) -> Result:
    """Measure and tell.

    Raises:
        Unavailable: a peer that was asked for cannot be installed.
    """
    for name in options.peers:
        try:
            provide(PEERS[name])
        except (OSError, subprocess.CalledProcessError) as exc:
            raise Unavailable(f"{name} could not be installed ({exc})") from exc
    raise_file_limit()
    plan = QUICK if options.quick else FULL
    began = time.monotonic()
    usual = (DIRECT, NGINX, RELAY, TRIVET) if plan.with_references else (NGINX, TRIVET)
    contenders = [*usual, *(PEERS[name] for name in options.peers)]
    session = measure(plan, options, contenders)
    summary = Summary(session.samples, NGINX.name)
    return gateway_report.result(
        summary,
        notes=[(contender.name, contender.note) for contender in contenders],
        subject=TRIVET.name,
        rounds=options.rounds or plan.rounds,
        held_streams=int(str(plan.hold["streams"])),
        minutes=(time.monotonic() - began) / 60,
        warnings=session.warnings,
    )
