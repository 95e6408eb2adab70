"""The load driver: one scenario against one address; prints one JSON object of figures.

    python -m bench.load '{"scenario": "paced", "url": "http://127.0.0.1:8741/v1/chat/completions"}'

A process of its own, so that it can be pinned and so that no scenario inherits another's memory.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
import uvloop

from bench.client import Connection, Exchange, Target, upstream_stats
from bench.figures import milliseconds, percentile
from bench.process import cpu_seconds, machine_busy_seconds, memory, raise_file_limit, tree

Figures = dict[str, float | None]
PATIENCE_SECONDS = 30.0  # for answers that are still on their way when a window ends
LEAVE_LIMIT_SECONDS = 5.0  # an upstream call that lives longer after its caller left is "missed"
CONNECTS_PER_SECOND = 1000
GROWTH_LIMIT_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to do, to whom, and whose CPU and memory to watch."""

    scenario: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    model: str = "mock"  # a prefix of the contender's own, then what the upstream reads
    upstream_port: int = 0
    pids: tuple[int, ...] = ()  # roots of the contender's process trees
    own_pids: tuple[int, ...] = ()  # of the bench, beside the contender and the driver
    connections: int = 1
    seconds: float = 2.0
    warm_seconds: float = 0.3
    chunks: int = 50
    streams: int = 0
    idle_rss_bytes: int = 0
    idle_pss_bytes: int = 0

    @property
    def target(self) -> Target:
        return Target(self.url, self.headers)

    def contender(self) -> list[int]:
        """The processes of the contender at this moment."""
        return [pid for root in self.pids for pid in tree(root)]


class ClosedLoop:
    """So many connections, each asking again as soon as it was answered."""

    def __init__(self, target: Target, request: bytes, connections: int) -> None:
        self.target, self.request, self.connections = target, request, connections
        self.exchanges: list[Exchange] = []
        self.refused = 0
        self.kept: list[Connection] = []
        self.connecting: set[asyncio.Task[None]] = set()

    async def run(self, goes_on: Callable[[], bool], patience_seconds: float) -> None:
        """Ask until `goes_on` is false and every answer is there, or patience ends."""
        self.goes_on = goes_on
        self.busy = self.connections
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        kept, self.kept = self.kept, []
        for connection in kept[: self.connections]:
            self._again(connection)
        for _ in range(self.connections - len(kept)):
            self._connect()
        try:
            async with asyncio.timeout(patience_seconds):
                await self.done
        except TimeoutError:
            self.refused += self.busy

    def close(self) -> None:
        for connection in self.kept:
            connection.leave()

    def _connect(self) -> None:
        task = asyncio.get_running_loop().create_task(self._open())
        self.connecting.add(task)
        task.add_done_callback(self.connecting.discard)

    async def _open(self) -> None:
        while self.goes_on():
            try:
                connection = await self.target.connect(self._ended)
            except OSError:
                self.refused += 1
                await asyncio.sleep(0.05)
                continue
            connection.ask(self.request)
            return
        self._finish()

    def _ended(self, connection: Connection, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self._again(connection)

    def _again(self, connection: Connection) -> None:
        if not self.goes_on():
            self.kept.append(connection)
            self._finish()
        elif connection.is_open:
            connection.ask(self.request)
        else:
            self._connect()

    def _finish(self) -> None:
        self.busy -= 1
        if self.busy == 0 and not self.done.done():
            self.done.set_result(None)


def until(deadline: float) -> Callable[[], bool]:
    return lambda: time.monotonic() < deadline


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
    loop = ClosedLoop(job.target, request, job.connections)
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
    requests = [job.target.request(job.model + behaviour, stream=True, tag=tag) for tag in tags]
    opened, refused = await open_streams(job, requests, lambda connection, exchange: None)

    async def under_way() -> bool:
        arrived = set((await upstream_stats(job.upstream_port))["open_tags"])
        flows = all(len(exchange.delays_ns) >= chunks_before for _, exchange in opened)
        return flows and arrived.issuperset(tags)

    await poll(under_way, PATIENCE_SECONDS)
    left_ns = {}
    for tag, (connection, _) in zip(tags, opened, strict=False):
        left_ns[tag] = time.monotonic_ns()
        connection.leave()
        await asyncio.sleep(0.02)

    async def all_closed() -> bool:
        return left_ns.keys() <= (await upstream_stats(job.upstream_port))["closed_ns"].keys()

    await poll(all_closed, LEAVE_LIMIT_SECONDS)
    closed_ns = (await upstream_stats(job.upstream_port))["closed_ns"]
    took = [closed_ns[tag] - left for tag, left in left_ns.items() if tag in closed_ns]
    return {
        f"{phase}_p50_ms": milliseconds(percentile(took, 0.5)),
        f"{phase}_p99_ms": milliseconds(percentile(took, 0.99)),
        f"{phase}_missed": job.streams - len(took),
        f"{phase}_refused": refused,
    }


async def disconnect(job: Job) -> Figures:
    """Callers leave before the first chunk, while chunks flow, and while upstream is silent."""
    figures: Figures = {}
    for phase, behaviour, chunks_before in (
        ("waiting", "+first_ms=60000", 0),
        ("flowing", "+chunks=3000+delay_ms=20", 3),
        ("silent", "+chunks=3000+quiet_after=3", 3),
    ):
        figures |= await leaving(job, phase, behaviour, chunks_before)
    missed = [value or 0 for name, value in figures.items() if name.endswith(("missed", "refused"))]
    slowest = [value for name, value in figures.items() if name.endswith("p99_ms") and value]
    return figures | {"errors": sum(missed), "worst_p99_ms": max(slowest, default=None)}


async def growth(job: Job) -> Figures:
    """Many short streams; the contender's memory after the first fiftieth and after all."""
    request = job.target.request(job.model, stream=True)
    loop = ClosedLoop(job.target, request, job.connections)

    def fewer_than(count: int) -> Callable[[], bool]:
        return lambda: len(loop.exchanges) < count and loop.refused < count

    rss_mb = {}
    for count in (job.streams // 50, job.streams):
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


SCENARIOS: Mapping[str, Callable[[Job], Awaitable[Figures]]] = {
    "json": json_calls,
    "streams": streams,
    "hold": hold,
    "disconnect": disconnect,
    "growth": growth,
}


def main(argument: str) -> None:
    given: dict[str, Any] = orjson.loads(argument)
    job = Job(**given)
    raise_file_limit()
    sys.stdout.buffer.write(orjson.dumps(uvloop.run(SCENARIOS[job.scenario](job))) + b"\n")


def as_argument(job: Job) -> str:
    """The job as the one word that `main` takes."""
    return orjson.dumps(asdict(job)).decode()


if __name__ == "__main__":
    main(sys.argv[1])
