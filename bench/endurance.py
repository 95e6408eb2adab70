"""Streams held open, callers that leave, and streams by the ten thousand."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from bench.client import Connection, Exchange, upstream_stats
from bench.closed_loop import PATIENCE_SECONDS, ClosedLoop
from bench.figures import milliseconds, percentile
from bench.job import Figures, Job
from bench.plan import DEPARTURES
from bench.process import memory

LEAVE_LIMIT_SECONDS = 5.0  # an upstream call that lives longer after its caller left is "missed"
CONNECTS_PER_SECOND = 1000
GROWTH_LIMIT_SECONDS = 120.0


async def poll(condition: Callable[[], Awaitable[bool]], limit_seconds: float) -> bool:
    """True as soon as the condition holds; False when it did not in time."""
    deadline = time.monotonic() + limit_seconds
    while not await condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


async def open_streams(
    job: Job, requests: list[bytes], ended: Callable[[Connection, Exchange], None]
) -> tuple[list[tuple[Connection, Exchange]], int]:
    """Open one connection for each request, at a bounded rate; how many were refused."""
    opened, refused = [], 0
    began = time.monotonic()
    for number, request in enumerate(requests):
        if (ahead := began + number / CONNECTS_PER_SECOND - time.monotonic()) > 0:
            await asyncio.sleep(ahead)
        try:
            connection = await job.target.connect(ended)
        except OSError:
            refused += 1
            continue
        opened.append((connection, connection.ask(request)))
    return opened, refused


async def hold(job: Job) -> Figures:
    """Slow streams held open together; memory while all of them are open."""
    ended: list[Exchange] = []
    request = job.target.request(job.model, stream=True)
    opened, refused = await open_streams(
        job, [request] * job.streams, lambda connection, exchange: ended.append(exchange)
    )
    exchanges = [exchange for _, exchange in opened]

    async def all_flow() -> bool:
        return all(exchange.delays_ns for exchange in exchanges)

    await poll(all_flow, job.chunks / 2)
    seen = await upstream_stats(job.upstream_port)
    held = memory(job.contender()) if job.pids else None

    async def all_ended() -> bool:
        return len(ended) >= len(opened)

    await poll(all_ended, job.chunks + PATIENCE_SECONDS)
    whole = [exchange for exchange in ended if exchange.is_whole(job.chunks)]
    delays = [delay for exchange in whole for delay in exchange.delays_ns]
    figures: Figures = {
        "answers": len(whole),
        "errors": job.streams - len(whole),
        "refused": refused,
        "upstream_streams": seen["streams"],
        "relay_p50_ms": milliseconds(percentile(delays, 0.5)),
        "relay_p99_ms": milliseconds(percentile(delays, 0.99)),
    }
    if held is not None:
        figures |= {
            "rss_mb": held.rss_bytes / 1e6,
            "rss_kb_per_stream": (held.rss_bytes - job.idle_rss_bytes) / 1e3 / job.streams,
            "pss_kb_per_stream": (held.pss_bytes - job.idle_pss_bytes) / 1e3 / job.streams,
        }
    return figures


async def leaving(job: Job, phase: str, behaviour: str, chunks_before: int) -> Figures:
    """Callers that go away; from then to the close of their upstream call."""
    tags = [f"{phase}-{number}-{time.monotonic_ns()}" for number in range(job.streams)]
    model = f"{job.model}{behaviour}"
    requests = [job.target.request(model, stream=True, user=tag) for tag in tags]
    opened, refused = await open_streams(job, requests, lambda connection, exchange: None)

    async def under_way() -> bool:
        arrived = set((await upstream_stats(job.upstream_port))["open_tags"])
        flows = all(len(exchange.delays_ns) >= chunks_before for _, exchange in opened)
        return flows and arrived.issuperset(tags)

    await poll(under_way, PATIENCE_SECONDS)
    arrived = set((await upstream_stats(job.upstream_port))["open_tags"])
    left_ns = {}
    for tag, (connection, _) in zip(tags, opened, strict=False):
        if tag not in arrived:
            refused += 1  # without a word: what never began can tell nothing about its end
            continue
        left_ns[tag] = time.monotonic_ns()
        connection.leave()
        await asyncio.sleep(0.02)

    async def all_closed() -> bool:
        closed = (await upstream_stats(job.upstream_port))["closed_ns"]
        return all(tag in closed for tag in left_ns)

    await poll(all_closed, LEAVE_LIMIT_SECONDS)
    closed_ns = (await upstream_stats(job.upstream_port))["closed_ns"]
    took = [closed_ns[tag] - left for tag, left in left_ns.items() if tag in closed_ns]
    return {
        f"{phase}_p50_ms": milliseconds(percentile(took, 0.5)),
        f"{phase}_p99_ms": milliseconds(percentile(took, 0.99)),
        f"{phase}_missed": len(left_ns) - len(took),
        f"{phase}_refused": refused,
    }


async def disconnect(job: Job) -> Figures:
    """Callers leave before the first chunk, while chunks flow, and while upstream is silent."""
    figures: Figures = {}
    for phase, behaviour, chunks_before in DEPARTURES:
        figures |= await leaving(job, phase, behaviour, chunks_before)
    missed = sum(value or 0 for name, value in figures.items() if name.endswith("missed"))
    refused = sum(value or 0 for name, value in figures.items() if name.endswith("refused"))
    slowest = [value for name, value in figures.items() if name.endswith("p99_ms") and value]
    slowest += [LEAVE_LIMIT_SECONDS * 1e3] if missed else []
    return figures | {"errors": missed + refused, "worst_p99_ms": max(slowest, default=None)}


async def growth(job: Job) -> Figures:
    """Many short streams; the contender's memory after the first of them and after all."""
    request = job.target.request(job.model, stream=True)
    loop = ClosedLoop(job.target, request, job.connections)

    def fewer_than(count: int) -> Callable[[], bool]:
        return lambda: len(loop.exchanges) < count and loop.refused < count

    rss_mb = {}
    for count in (job.early_streams, job.streams):
        await loop.run(fewer_than(count), GROWTH_LIMIT_SECONDS)
        rss_mb[count] = memory(job.contender()).rss_bytes / 1e6
    loop.close()
    early, late = rss_mb.values()
    whole = sum(exchange.is_whole(job.chunks) for exchange in loop.exchanges)
    return {
        "answers": whole,
        "errors": len(loop.exchanges) - whole + loop.refused,
        "early_rss_mb": early,
        "late_rss_mb": late,
        "growth": late / early,
    }
