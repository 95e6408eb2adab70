"""A closed loop of calls: so many connections, each asking again once it was answered."""

import asyncio
import time
from collections.abc import Callable

from bench.client import Connection, Exchange, Target

PATIENCE_SECONDS = 30.0  # for answers that are still on their way when a window ends


class ClosedLoop:
    """So many connections, each asking again as soon as it was answered."""

    def __init__(
        self, target: Target, request: bytes, connections: int, *, stagger_seconds: float = 0.0
    ) -> None:
        """`stagger_seconds`: spread the first calls of a run over so long, as strangers would."""
        self.target, self.request, self.connections = target, request, connections
        self.stagger_seconds = stagger_seconds
        self.exchanges: list[Exchange] = []
        self.refused = 0
        self.idle: list[Connection] = []
        self.opened: list[Connection] = []
        self.connecting: set[asyncio.Task[None]] = set()

    async def run(self, goes_on: Callable[[], bool], patience_seconds: float) -> None:
        """Ask until `goes_on` is false and every answer is there, or patience ends."""
        self.goes_on = goes_on
        self.busy = self.connections
        loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = loop.create_future()
        for number in range(self.connections):
            after = self.stagger_seconds * number / self.connections
            loop.call_later(after, self._begin)
        try:
            async with asyncio.timeout(patience_seconds):
                await self.done
        except TimeoutError:
            self.refused += self.busy

    def close(self) -> None:
        for connection in self.idle:
            connection.leave()

    def chunks(self) -> int:
        """All chunks that have come, those of answers that still run included."""
        running = [one.exchange for one in self.opened if one.exchange is not None]
        return sum(len(exchange.delays_ns) for exchange in [*self.exchanges, *running])

    def _begin(self) -> None:
        if self.idle:
            self._again(self.idle.pop())
        else:
            self._connect()

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
            self.opened.append(connection)
            connection.ask(self.request)
            return
        self._finish()

    def _ended(self, connection: Connection, exchange: Exchange) -> None:
        if not connection.is_open:
            self.opened.remove(connection)
        self.exchanges.append(exchange)
        self._again(connection)

    def _again(self, connection: Connection) -> None:
        if not self.goes_on():
            self.idle.append(connection)
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
