"""While a call goes on: no more than the caller reads is taken, and nothing for nobody."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import orjson
import pytest

from services.llm_proxy.upstream.exchange import HIGH_WATER_BYTES
from tests.llm_proxy.resilience.conftest import Site
from tests.llm_proxy.scripted import fails
from tests.llm_proxy.test_disconnect import Caller, idle
from tests.support.wait import until

pytestmark = pytest.mark.process

CHUNK = {"choices": [{"index": 0, "delta": {"content": "x" * 4000}}]}
EVENT = b"data: %b\n\n" % orjson.dumps(CHUNK)
# What the sockets on both sides of us may hold by the kernel's limits, beside our own buffer.
SOCKETS_BYTES = 72 * 1024**2


class Flood:
    """An upstream that sends events as fast as they are taken, and counts their bytes."""

    def __init__(self) -> None:
        self.sent_bytes = 0
        self.gone = threading.Event()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=65536)
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
        writer.write(head)
        with suppress(ConnectionError):
            while True:
                writer.write(EVENT)
                await writer.drain()
                self.sent_bytes += len(EVENT)
        self.gone.set()


@contextmanager
def flooding() -> Iterator[Flood]:
    flood, loop = Flood(), asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(flood.serve, "127.0.0.1", 0))
    flood.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield flood
    finally:
        loop.call_soon_threadsafe(server.close)
        assert flood.gone.wait(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def test_a_caller_who_reads_slowly_holds_a_flood_back(site: Site) -> None:
    with flooding() as flood:
        site.configure(providers={"one": {"base_url": flood.url}})
        body = site.body("one/flood", stream=True)
        caller = Caller(site.gateway, "/v1/chat/completions", body)
        caller.read_until(b"xxxx")
        taken = still(flood)
        assert taken < SOCKETS_BYTES + HIGH_WATER_BYTES
        read = taken + 1024**2
        caller.read_bytes(read)  # it goes on as the caller does
        assert taken < still(flood) < read + SOCKETS_BYTES + HIGH_WATER_BYTES
        caller.leave()
        assert flood.gone.wait(5)


def still(flood: Flood) -> int:
    """How many bytes were sent when no more were taken."""
    seen: list[int] = []

    def unchanged() -> bool:
        seen.append(flood.sent_bytes)
        return len(seen) > 20 and len(set(seen[-20:])) == 1

    until(unchanged, 30, "it is held back")
    return flood.sent_bytes


@pytest.mark.parametrize("stream", [True, False])
def test_leaving_during_a_later_attempt_closes_that_one(site: Site, stream: bool) -> None:
    vendor, first = site.gateway.vendor, site.name()
    until(lambda: idle(vendor), 5, "the vendor is idle")
    site.configure(
        providers={"one": {"retry": {"attempts": 1}}, "two": {"base_url": vendor.openai}},
        fallbacks={f"one/{first}": ["two/silent"]},
    )
    site.upstream.will(first, fails(500))
    body = site.body(f"one/{first}", stream=stream)
    caller = Caller(site.gateway, "/v1/chat/completions", body)
    until(lambda: vendor.open_streams == 1, 5, "the second attempt is open")
    request_id = vendor.requests[-1].headers["x-request-id"]
    caller.leave()
    until(lambda: idle(vendor), 0.8, "the upstream is closed")
    attributes = site.gateway.neighbours.event_of(request_id)["attributes"]
    assert attributes["trivet.end_reason"] == "client_disconnect"
    assert attributes["trivet.attempts"] == 2
    assert attributes["trivet.fallback_from"] == f"one/{first}"


def test_leaving_while_a_connection_is_made_ends_the_attempt(site: Site) -> None:
    with unanswering() as url:
        site.configure(providers={"one": {"base_url": url}})
        model = site.name()
        caller = Caller(site.gateway, "/v1/chat/completions", site.body(f"one/{model}"))
        until(lambda: running(site, model) == 1, 5, "the attempt has begun")
        caller.leave()
        until(lambda: running(site, model) == 0, 2, "the attempt is over")


def running(site: Site, model: str) -> int:
    states = site.gateway.app.state.dispatcher.fleet.states
    return sum(state.busy for identity, state in list(states.items()) if identity[2] == model)


@contextmanager
def unanswering() -> Iterator[str]:
    """An address where connections are never taken: its queue is full."""
    import socket

    with socket.socket() as listener, socket.socket() as one, socket.socket() as two:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (one, two):
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
