"""The driver counts what really came: whole chunks, once, in order, up to the end."""

import asyncio

from bench.client import Exchange
from tests.bench.support import call, exchange_over, upstream

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def stream_of(*stamps: int, end: bytes = DONE) -> bytes:
    events = [b'data: {"content":"@%020d;xx"}\n\n' % stamp for stamp in stamps] + [end]
    chunks = [b"%x\r\n%b\r\n" % (len(event), event) for event in events if event]
    return HEAD + b"".join(chunks) + b"0\r\n\r\n"


def read(raw: bytes, *, close: bool = False) -> Exchange:
    return asyncio.run(exchange_over(raw, close=close))


def test_every_chunk_of_the_upstream_is_counted_once_on_a_kept_connection() -> None:
    async def session() -> list[Exchange]:
        async with upstream() as port:
            return await call(port, "mock+chunks=37", stream=True, count=5)

    exchanges = asyncio.run(session())
    assert [len(exchange.delays_ns) for exchange in exchanges] == [37] * 5
    assert all(exchange.is_whole(37) for exchange in exchanges)
    assert not any(exchange.is_whole(36) for exchange in exchanges)


def test_a_json_answer_is_whole_when_its_body_came() -> None:
    async def session() -> list[Exchange]:
        async with upstream() as port:
            return await call(port, "mock", stream=False, count=3)

    exchanges = asyncio.run(session())
    assert len(exchanges) == 3
    assert all(exchange.is_whole(None) and exchange.body_bytes > 300 for exchange in exchanges)


def test_delays_are_never_negative_and_the_first_chunk_comes_after_the_request() -> None:
    async def session() -> Exchange:
        async with upstream() as port:
            return (await call(port, "mock+chunks=5+delay_ms=2", stream=True))[0]

    exchange = asyncio.run(session())
    assert min(exchange.delays_ns) >= 0
    assert exchange.began_ns < exchange.first_ns <= exchange.ended_ns


def test_stamps_that_are_split_between_reads_are_counted() -> None:
    exchange = read(stream_of(11, 12, 13))
    assert exchange.is_whole(3)
    assert exchange.reads > 1


def test_a_lost_chunk_is_noticed() -> None:
    assert not read(stream_of(11, 13)).is_whole(3)


def test_a_chunk_that_comes_twice_or_too_early_is_noticed() -> None:
    assert not read(stream_of(11, 12, 12)).is_whole(3)
    assert not read(stream_of(12, 11, 13)).is_whole(3)


def test_a_stream_without_its_last_event_is_not_whole() -> None:
    assert not read(stream_of(11, 12, end=b"")).is_whole(2)


def test_a_stream_that_is_cut_off_is_not_whole() -> None:
    exchange = read(stream_of(11, 12).removesuffix(b"0\r\n\r\n"), close=True)
    assert exchange.fault == "connection lost"
    assert not exchange.is_whole(2)


def test_an_error_answer_is_not_whole_whatever_it_holds() -> None:
    raw = stream_of(11).replace(b"200 OK", b"502 Bad Gateway")
    exchange = read(raw)
    assert exchange.status == 502
    assert not exchange.is_whole(1)


def test_an_answer_that_is_not_http_ends_the_exchange() -> None:
    exchange = read(b"garbage\r\n\r\n")
    assert exchange.fault == "not HTTP"
    assert not exchange.is_whole(None)
