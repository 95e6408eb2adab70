"""JSON calls and streams in closed loops: rates, delays and CPU of each call or chunk."""

import asyncio
import os
import time
from dataclasses import dataclass

from bench.client import Exchange
from bench.closed_loop import PATIENCE_SECONDS, ClosedLoop, until
from bench.figures import milliseconds, percentile
from bench.job import Figures, Job
from bench.process import cpu_seconds, machine_busy_seconds


@dataclass(frozen=True)
class Mark:
    """What had been done, and used, at one moment of the load."""

    seconds: float
    exchanges: int
    chunks: int
    contender_cpu_seconds: float
    own_cpu_seconds: float  # of all processes of the bench
    busy_seconds: float  # of all processors

    @classmethod
    def now(cls, loop: ClosedLoop, contender: list[int], own: list[int]) -> "Mark":
        return cls(
            time.monotonic(),
            len(loop.exchanges),
            loop.chunks(),
            cpu_seconds(contender),
            cpu_seconds(own),
            machine_busy_seconds(),
        )


@dataclass(frozen=True)
class Window:
    """A measured stretch out of a load that began before it and goes on after it."""

    begin: Mark
    end: Mark
    ended: list[Exchange]  # within the stretch
    later: list[Exchange]  # after it: they too must be whole
    refused: int

    @property
    def seconds(self) -> float:
        return self.end.seconds - self.begin.seconds

    def used(self, units: int) -> float | None:
        """The contender's CPU for each unit, in µs."""
        used = self.end.contender_cpu_seconds - self.begin.contender_cpu_seconds
        return used * 1e6 / units if used and units else None

    def foreign_busy_share(self) -> float:
        """How much of one processor went to processes that are not the bench's."""
        busy = self.end.busy_seconds - self.begin.busy_seconds
        own = self.end.own_cpu_seconds - self.begin.own_cpu_seconds
        return max(0.0, (busy - own) / self.seconds)


async def measured(job: Job, *, stream: bool) -> Window:
    """Load; after `warm_seconds` and the stagger, measure for `seconds` of it."""
    request = job.target.request(job.model, stream=stream)
    loop = ClosedLoop(job.target, request, job.connections, stagger_seconds=job.stagger_seconds)
    ahead = job.warm_seconds + job.stagger_seconds
    deadline = time.monotonic() + ahead + job.seconds
    load = asyncio.create_task(loop.run(until(deadline), ahead + job.seconds + PATIENCE_SECONDS))
    contender = job.contender()
    own = [os.getpid(), *job.own_pids, *contender]
    await asyncio.sleep(ahead)
    begin = Mark.now(loop, contender, own)
    await asyncio.sleep(deadline - time.monotonic())
    end = Mark.now(loop, contender, own)
    await load
    loop.close()
    ended = loop.exchanges[begin.exchanges : end.exchanges]
    return Window(begin, end, ended, loop.exchanges[end.exchanges :], loop.refused)


def common(window: Window, chunks: int | None) -> tuple[list[Exchange], Figures]:
    """The whole answers of the window, and the figures that every window has."""
    whole = [exchange for exchange in window.ended if exchange.is_whole(chunks)]
    cut = sum(not exchange.is_whole(chunks) for exchange in window.ended + window.later)
    figures: Figures = {
        "answers": len(whole),
        "errors": cut + window.refused,
        "foreign_busy_share": window.foreign_busy_share(),
    }
    return whole, figures


async def json_calls(job: Job) -> Figures:
    """JSON calls: rate, time of a call, CPU of a call."""
    window = await measured(job, stream=False)
    whole, figures = common(window, None)
    took = [exchange.ended_ns - exchange.began_ns for exchange in whole]
    return figures | {
        "calls_per_second": len(whole) / window.seconds,
        "p50_ms": milliseconds(percentile(took, 0.5)),
        "p99_ms": milliseconds(percentile(took, 0.99)),
        "cpu_us_per_call": window.used(len(whole)),
    }


async def streams(job: Job) -> Figures:
    """Streams, paced or not: rate, delay of each chunk on its way, first byte, CPU of a chunk."""
    window = await measured(job, stream=True)
    whole, figures = common(window, job.chunks)
    delays = [delay for exchange in whole for delay in exchange.delays_ns]
    firsts = [exchange.first_ns - exchange.began_ns for exchange in whole]
    reads = sum(exchange.reads for exchange in whole)
    chunks = window.end.chunks - window.begin.chunks
    return figures | {
        "chunks_per_second": chunks / window.seconds,
        "relay_p50_ms": milliseconds(percentile(delays, 0.5)),
        "relay_p99_ms": milliseconds(percentile(delays, 0.99)),
        "first_p50_ms": milliseconds(percentile(firsts, 0.5)),
        "first_p99_ms": milliseconds(percentile(firsts, 0.99)),
        "cpu_us_per_chunk": window.used(chunks),
        "chunks_per_read": len(delays) / reads if reads else None,
    }
