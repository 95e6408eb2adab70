"""The mock upstream does what the model's name says, and tells what it saw."""

import asyncio
import time
from collections.abc import Callable

import orjson
import pytest

from bench.client import Connection, Exchange, upstream_stats
from bench.upstream import Behaviour, Ledger, script
from tests.bench.support import target, upstream


async def met(port: int, condition: Callable[[dict[str, object]], object]) -> dict[str, object]:
    deadline = time.monotonic() + 10
    while not condition(stats := await upstream_stats(port)):
        assert time.monotonic() < deadline, stats
        await asyncio.sleep(0.01)
    return stats


def nothing(_connection: Connection, _exchange: Exchange) -> None:
    return


def test_the_model_name_carries_the_behaviour_behind_any_prefix() -> None:
    assert Behaviour.of("bench/mock+chunks=50+delay_ms=20") == Behaviour(chunks=50, delay_ms=20)
    assert Behaviour.of("mock") == Behaviour()


def test_a_chunk_is_a_whole_event_that_holds_its_time_of_sending() -> None:
    chunk = script(8, False).chunk % 42
    size, _, rest = chunk.partition(b"\r\n")
    event = rest.removesuffix(b"\r\n")
    assert len(event) == int(size, 16)
    content = orjson.loads(event.removeprefix(b"data: "))["choices"][0]["delta"]["content"]
    assert content == "@" + "42".zfill(20) + ";" + "x" * 8


@pytest.mark.parametrize("asked", [True, False])
def test_usage_comes_only_when_it_was_asked_for(asked: bool) -> None:
    assert (b'"usage"' in script(20, asked).closing) is asked


def test_the_upstream_reports_open_streams_and_forgets_finished_ones() -> None:
    async def session() -> None:
        async with upstream() as port:
            place = target(port)
            request = place.request("mock+chunks=3+quiet_after=2", stream=True, user="kept")
            connections = [await place.connect(nothing) for _ in range(3)]
            for connection in connections:
                connection.ask(request)
            stats = await met(port, lambda seen: seen["streams"] == 3)
            assert stats["open_tags"] == ["kept"]
            for connection in connections:
                connection.leave()
            stats = await met(port, lambda seen: seen["streams"] == 0)
            assert stats["streams_peak"] == 3
            assert stats["open_tags"] == []

    asyncio.run(session())


@pytest.mark.parametrize(
    "behaviour", ["+first_ms=60000", "+chunks=3000+delay_ms=5", "+chunks=9+quiet_after=1"]
)
def test_the_upstream_notes_when_a_caller_left_in_each_phase(behaviour: str) -> None:
    async def session() -> tuple[int, int, int]:
        async with upstream() as port:
            place = target(port)
            connection = await place.connect(nothing)
            connection.ask(place.request(f"mock{behaviour}", stream=True, user="leaver"))
            await met(port, lambda seen: seen["open_tags"])
            left = time.monotonic_ns()
            connection.leave()
            stats = await met(port, lambda seen: seen["closed_ns"])
            closed = stats["closed_ns"]
            assert isinstance(closed, dict)
            return left, closed["leaver"], time.monotonic_ns()

    left, closed, now = asyncio.run(session())
    assert left < closed < now


def test_an_answered_call_is_not_a_closed_one() -> None:
    async def session() -> dict[str, object]:
        async with upstream() as port:
            place = target(port)
            ended = asyncio.Event()
            connection = await place.connect(lambda *_: ended.set())
            connection.ask(place.request("mock+chunks=2", stream=True, user="patient"))
            await ended.wait()
            connection.leave()
            return await met(port, lambda seen: seen["connections"] == 1)

    assert asyncio.run(session())["closed_ns"] == {}


def test_remembered_closings_are_bounded() -> None:
    ledger = Ledger()
    for number in range(10_000):
        ledger.closed(str(number))
    assert len(ledger.closed_ns) < 10_000
    assert "9999" in ledger.closed_ns


def test_an_unknown_path_is_not_found() -> None:
    async def session() -> bytes:
        async with upstream() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n")
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
            return line

    assert b"404" in asyncio.run(session())
