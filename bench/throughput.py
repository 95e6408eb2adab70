"""JSON calls and streams in closed loops: rates, delays and CPU of each call or chunk."""

import os
import time
from dataclasses import dataclass

from bench.client import Exchange
from bench.closed_loop import PATIENCE_SECONDS, ClosedLoop, until
from bench.figures import milliseconds, percentile
from bench.job import Figures, Job
from bench.process import cpu_seconds, machine_busy_seconds


@dataclass(frozen=True)
class Window:
    """What one measured stretch of load gave."""

    exchanges: list[Exchange]
    refused: int
    seconds: float
    contender_cpu_seconds: float
    foreign_busy_share: float  # of one processor, by processes that are not the bench's


async def measured(job: Job, *, stream: bool) -> Window:
    """Warm up, then load for `job.seconds` while CPU time is counted."""
    request = job.target.request(job.model, stream=stream)
    loop = ClosedLoop(job.target, request, job.connections, stagger_seconds=job.stagger_seconds)
    await loop.run(until(time.monotonic() + job.warm_seconds), PATIENCE_SECONDS)
    loop.exchanges, loop.refused = [], 0
    contender = job.contender()
    own = [os.getpid(), *job.own_pids, *contender]
    cpu, all_own, busy = cpu_seconds(contender), cpu_seconds(own), machine_busy_seconds()
    began = time.monotonic()
    await loop.run(until(began + job.seconds), job.seconds + PATIENCE_SECONDS)
    took = time.monotonic() - began
    foreign = (machine_busy_seconds() - busy) - (cpu_seconds(own) - all_own)
    used = cpu_seconds(contender) - cpu
    loop.close()
    return Window(loop.exchanges, loop.refused, took, used, max(0.0, foreign / took))


def micros_each(cpu: float, count: int) -> float | None:
    return cpu * 1e6 / count if cpu and count else None


def common(window: Window, chunks: int | None) -> tuple[list[Exchange], Figures]:
    """The whole answers, and the figures that every window has."""
    whole = [exchange for exchange in window.exchanges if exchange.is_whole(chunks)]
    errors = len(window.exchanges) - len(whole) + window.refused
    figures: Figures = {
        "answers": len(whole),
        "errors": errors,
        "foreign_busy_share": window.foreign_busy_share,
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
        "cpu_us_per_call": micros_each(window.contender_cpu_seconds, len(whole)),
    }


async def streams(job: Job) -> Figures:
    """Streams, paced or not: rate, delay of each chunk on its way, first byte, CPU of a chunk."""
    window = await measured(job, stream=True)
    whole, figures = common(window, job.chunks)
    delays = [delay for exchange in whole for delay in exchange.delays_ns]
    firsts = [exchange.first_ns - exchange.began_ns for exchange in whole]
    reads = sum(exchange.reads for exchange in whole)
    return figures | {
        "chunks_per_second": len(delays) / window.seconds,
        "relay_p50_ms": milliseconds(percentile(delays, 0.5)),
        "relay_p99_ms": milliseconds(percentile(delays, 0.99)),
        "first_p50_ms": milliseconds(percentile(firsts, 0.5)),
        "first_p99_ms": milliseconds(percentile(firsts, 0.99)),
        "cpu_us_per_chunk": micros_each(window.contender_cpu_seconds, len(delays)),
        "chunks_per_read": len(delays) / reads if reads else None,
    }
