"""The upstream and its drivers in the test's own event loop or in processes of their own."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import orjson

from bench.client import Connection, Exchange, Target
from bench.closed_loop import ClosedLoop
from bench.process import free_port, running
from bench.upstream import Ledger, start
from tests.support.wait import until

ROOT = Path(__file__).resolve().parent.parent.parent
PATH = "/v1/chat/completions"


@asynccontextmanager
async def upstream() -> AsyncIterator[int]:
    """The mock upstream in this event loop; gives its port."""
    ledger = Ledger()
    server = await start(0, ledger)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await becomes_true(lambda: ledger.connections == 0)
        server.close()
        await server.wait_closed()


async def becomes_true(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


@contextmanager
def upstream_process(folder: Path) -> Iterator[int]:
    """The mock upstream as the benchmarks start it."""
    port = free_port()
    argv = [sys.executable, "-m", "bench.upstream", str(port)]
    with running(argv, log=folder / "upstream.log", cwd=ROOT):
        until(lambda: answers(port), what="the upstream answers")
        yield port


def answers(port: int) -> bool:
    async def connect() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()

    try:
        asyncio.run(connect())
    except OSError:
        return False
    return True


def target(port: int) -> Target:
    return Target(f"http://127.0.0.1:{port}{PATH}", {})


async def call(port: int, model: str, *, stream: bool, count: int = 1) -> list[Exchange]:
    """So many calls over one connection, one after the other."""
    place = target(port)
    loop = ClosedLoop(place, place.request(model, stream=stream), 1)
    await loop.run(lambda: len(loop.exchanges) < count, 10.0)
    loop.close()
    return loop.exchanges


async def exchange_over(raw: bytes, *, close: bool = False) -> Exchange:
    """What the driver makes of these bytes, sent by a server as its answer."""
    ended: asyncio.Future[Exchange] = asyncio.get_running_loop().create_future()
    closed = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for begin in range(0, len(raw), 7):  # so that lines and stamps are split between reads
            writer.write(raw[begin : begin + 7])
            await writer.drain()
            await asyncio.sleep(0)
        if not close:
            await reader.read()
        writer.close()
        closed.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    place = target(server.sockets[0].getsockname()[1])

    def done(_connection: Connection, exchange: Exchange) -> None:
        if not ended.done():
            ended.set_result(exchange)

    connection = await place.connect(done)
    connection.ask(place.request("mock", stream=True))
    try:
        return await asyncio.wait_for(ended, 10)
    finally:
        connection.leave()
        await asyncio.wait_for(closed.wait(), 10)
        server.close()
        await server.wait_closed()


def driven(argument: dict[str, Any]) -> dict[str, float | None]:
    """The driver as a process, as the benchmarks start it."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load", orjson.dumps(argument).decode()],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=60,
    )
    figures: dict[str, float | None] = orjson.loads(done.stdout)
    return figures
