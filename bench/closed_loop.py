"""A closed loop of calls: so many connections, each asking again once it was answered."""

import asyncio
import time
from collections.abc import Callable

from bench.client import Connection, Exchange, Target

PATIENCE_SECONDS = 30.0  # for answers that are still on their way when a window ends


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
