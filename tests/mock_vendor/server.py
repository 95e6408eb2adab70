"""Runs the vendor in a thread of its own, on a free port."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

from tests.mock_vendor import behaviour
from tests.mock_vendor.wire import Answer, SeenRequest, VendorConnection

__all__ = ["SeenRequest", "Vendor", "running_vendor"]


class Vendor:
    """What a test sees of the vendor."""

    def __init__(self) -> None:
        self.requests: list[SeenRequest] = []
        self.open_streams = 0
        self.connections_made = 0
        self._connections: set[VendorConnection] = set()
        self.base_url = ""

    @property
    def ark(self) -> str:
        return f"{self.base_url}/ark/api/v3"

    @property
    def openai(self) -> str:
        return f"{self.base_url}/openai/v1"

    @property
    def deepseek(self) -> str:
        return f"{self.base_url}/deepseek"

    @property
    def anthropic(self) -> str:
        return f"{self.base_url}/anthropic/v1"

    @property
    def compat(self) -> str:
        return f"{self.base_url}/compatible-mode/v1"

    @property
    def dashscope(self) -> str:
        return f"{self.base_url}/api/v1"

    def connection(self) -> VendorConnection:
        self.connections_made += 1
        made = VendorConnection(self.connections_made, self._respond, self._connections.discard)
        self._connections.add(made)
        return made

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._connections)

    async def stop(self) -> None:
        while self._connections:
            for connection in list(self._connections):
                connection.abort()
            await asyncio.sleep(0.005)

    async def _respond(self, seen: SeenRequest, answer: Answer) -> None:
        self.requests.append(seen)
        self.open_streams += 1
        try:
            seen.path = unquote(urlsplit(seen.path).path)
            await behaviour.respond(seen, answer)
        finally:
            self.open_streams -= 1


@contextmanager
def running_vendor(port: int = 0) -> Iterator[Vendor]:
    """A vendor on 127.0.0.1; `base_url` names its port (a free one unless given)."""
    vendor = Vendor()
    loop = asyncio.new_event_loop()
    # Nothing runs in the caller's thread: Playwright keeps a loop of its own running there.
    thread = threading.Thread(target=loop.run_forever, name="mock-vendor", daemon=True)
    thread.start()
    starting = loop.create_server(vendor.connection, "127.0.0.1", port)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result(10)
    vendor.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield vendor
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server, vendor), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _stop(server: asyncio.Server, vendor: Vendor) -> None:
    server.close()
    await vendor.stop()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*tasks)
