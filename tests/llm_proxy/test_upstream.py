"""The relay's HTTP client against real sockets."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel.errors import Overloaded, TrivetError, UpstreamError, UpstreamTimeout
from services.llm_proxy.upstream import Client, Exchange, Request, Timeouts, parse_url
from tests.mock_vendor import Vendor, running_vendor
from tests.support.ports import free_port

QUICK = Timeouts(connect_seconds=2, first_byte_seconds=0.2, silence_seconds=0.2, total_seconds=5)
PATIENT = Timeouts()
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def run(main: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def chat(base_url: str, model: str, *, stream: bool = True) -> Request:
    origin, base = parse_url(base_url)
    body = orjson.dumps({"model": model, "stream": stream, "messages": []})
    return Request.build("POST", origin, f"{base}/chat/completions", [], body)


async def whole(exchange: Exchange) -> bytes:
    pieces = []
    while (piece := await exchange.read()) is not None:
        pieces.append(piece)
    return b"".join(pieces)


async def fetch(client: Client, request: Request, timeouts: Timeouts = PATIENT) -> bytes:
    exchange = await client.open(request, timeouts)
    await exchange.head()
    return await whole(exchange)


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # what is waited for sets no event
            await asyncio.sleep(0.005)


@asynccontextmanager
async def raw_server(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that writes what it likes, one coroutine a connection."""

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(guarded, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        server.close()


def answering(*pieces: bytes, linger: bool = False) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            await reader.readexactly(size)
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if not linger:
                return

    return serve


def get(base_url: str) -> Request:
    return Request.build("GET", parse_url(base_url)[0], "/", [])


@pytest.fixture(scope="module")
def vendor() -> Any:
    with running_vendor() as running:
        yield running


def test_a_clean_connection_is_used_again(vendor: Vendor) -> None:
    async def main() -> None:
        client = Client()
        for _ in range(3):
            assert b'"chat.completion"' in await fetch(
                client, chat(vendor.openai, "words", stream=False)
            )
        assert len({seen.connection for seen in vendor.requests[-3:]}) == 1
        await client.aclose()

    run(main())


def test_request_bytes_say_what_was_meant(vendor: Vendor) -> None:
    async def main() -> None:
        client = Client()
        await fetch(client, chat(vendor.openai, "words"))
        await client.aclose()
        seen = vendor.requests[-1]
        assert seen.path == "/openai/v1/chat/completions"
        assert seen.headers["accept-encoding"] == "identity"
        assert seen.headers["host"] == vendor.base_url.removeprefix("http://")
        assert seen.body["model"] == "words"

    run(main())


@pytest.mark.parametrize("value", [b"a\r\nb: c", b"a\nb", b"a\rb", b"a\0b"])
def test_a_header_cannot_smuggle_in_another(value: bytes) -> None:
    origin, _ = parse_url("http://localhost")
    with pytest.raises(ValueError, match="line break"):
        Request.build("GET", origin, "/", [(b"x", value)])


@pytest.mark.parametrize("url", ["ftp://x", "x", "http://u:p@x", "http://x/?q=1", "http://"])
def test_an_address_that_is_no_origin_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|must not"):
        parse_url(url)


def test_a_body_without_length_ends_with_the_connection(vendor: Vendor) -> None:
    async def main() -> None:
        client = Client()
        assert (await fetch(client, chat(vendor.openai, "until_close"))).endswith(
            b"data: [DONE]\n\n"
        )
        await client.aclose()

    run(main())


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("garbage", "not valid HTTP"),
        ("cut:after=2", "broke off"),
        ("huge_head", "too large"),
    ],
)
def test_a_broken_answer_is_an_upstream_error(vendor: Vendor, model: str, words: str) -> None:
    async def main() -> None:
        client = Client()
        with pytest.raises(UpstreamError, match=words):
            await fetch(client, chat(vendor.openai, model))
        await client.aclose()

    run(main())


def test_a_sized_body_that_ends_early_is_an_error(vendor: Vendor) -> None:
    async def main() -> None:
        client = Client()
        with pytest.raises(UpstreamError, match="broke off"):
            await fetch(client, chat(vendor.openai, "cut", stream=False))
        await client.aclose()

    run(main())


@pytest.mark.parametrize("model", ["silent", "silent_head", "stall:after=2"])
def test_silence_in_any_phase_is_a_timeout(vendor: Vendor, model: str) -> None:
    async def main() -> None:
        client = Client()
        with pytest.raises(UpstreamTimeout):
            await fetch(client, chat(vendor.openai, model), QUICK)
        await client.aclose()

    run(main())


def test_a_time_out_that_becomes_shorter_is_kept(vendor: Vendor) -> None:
    patient_at_first = Timeouts(2, first_byte_seconds=60, silence_seconds=0.1, total_seconds=120)

    async def main() -> None:
        client = Client()
        async with asyncio.timeout(10):
            with pytest.raises(UpstreamTimeout):
                await fetch(client, chat(vendor.openai, "stall:after=2"), patient_at_first)
        await client.aclose()

    run(main())


def test_the_total_time_is_bounded_though_bytes_flow(vendor: Vendor) -> None:
    async def main() -> None:
        client = Client()
        with pytest.raises(UpstreamTimeout):
            await fetch(client, chat(vendor.openai, "comments_only"), Timeouts(total_seconds=0.3))
        await client.aclose()

    run(main())


def test_nobody_listening_is_an_upstream_error() -> None:
    async def main() -> None:
        client = Client()
        with pytest.raises(UpstreamError, match="could not be reached"):
            await client.open(get(f"http://127.0.0.1:{free_port()}"), QUICK)
        assert client.connections == 0
        await client.aclose()

    run(main())


def test_a_kept_connection_that_died_is_tried_once_more(vendor: Vendor) -> None:
    async def main() -> None:
        client = Client()
        for _ in range(3):
            assert b"[DONE]" in await fetch(client, chat(vendor.openai, "flaky"))
        await client.aclose()

    run(main())


def test_a_fresh_connection_that_dies_is_not_tried_again() -> None:
    calls = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        await reader.read(10)

    async def main() -> None:
        client = Client()
        async with raw_server(serve) as url:
            with pytest.raises(UpstreamError, match="without an answer"):
                await fetch(client, get(url))
        await client.aclose()
        assert calls == 1

    run(main())


@pytest.mark.parametrize(
    "extra",
    [b"HTTP/1.1 200 OK\r\n\r\n", b"surprise"],
    ids=["a second answer", "garbage"],
)
def test_a_connection_with_bytes_after_the_answer_is_not_used_again(extra: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

    async def main() -> None:
        client = Client()
        async with raw_server(answering(answer + extra, linger=True)) as url:
            assert await fetch(client, get(url)) == b"ok"
            assert await fetch(client, get(url)) == b"ok"
        await client.aclose()

    run(main())


def test_unasked_bytes_on_an_idle_connection_close_it() -> None:
    async def main() -> None:
        client = Client()
        answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        async with raw_server(answering(answer, b"late", linger=True)) as url:
            assert await fetch(client, get(url)) == b"ok"
            await eventually(lambda: not client.connections)
        await client.aclose()

    run(main())


def test_interim_answers_are_passed_over() -> None:
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    answer = early + b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok"

    async def main() -> None:
        client = Client()
        async with raw_server(answering(answer)) as url:
            exchange = await client.open(get(url), QUICK)
            assert await exchange.head() == 201
            assert exchange.header(b"link") == b""
            assert await whole(exchange) == b"ok"
        await client.aclose()

    run(main())


def test_idle_connections_are_closed_after_their_time(vendor: Vendor) -> None:
    async def main() -> None:
        client = Client(idle_seconds=0.05)
        await fetch(client, chat(vendor.openai, "words"))
        assert client.connections == 1
        await eventually(lambda: not client.connections)
        await client.aclose()

    run(main())


def test_more_connections_than_allowed_are_overload(vendor: Vendor) -> None:
    async def main() -> None:
        client = Client(max_connections=2)
        busy = [await client.open(chat(vendor.openai, "silent"), Timeouts()) for _ in range(2)]
        with pytest.raises(Overloaded):
            await client.open(chat(vendor.openai, "words"), QUICK)
        busy[0].abort()
        await eventually(lambda: client.connections <= 1)
        assert b"[DONE]" in await fetch(client, chat(vendor.openai, "words"))
        await client.aclose()

    run(main())


def test_a_slow_reader_pauses_the_upstream_and_loses_nothing(vendor: Vendor) -> None:
    async def main() -> None:
        client = Client()
        exchange = await client.open(chat(vendor.openai, "words:count=60000"), Timeouts())
        await exchange.head()
        await eventually(lambda: exchange.paused)
        held = exchange.buffered_bytes
        assert held < 2 * 1024 * 1024
        body = await whole(exchange)
        assert body.count(b'"content":"w') == 60000
        await client.aclose()

    run(main())


async def read_with(exchange: Exchange, sink: Callable[[bytes], bool]) -> list[bytes]:
    """Pieces that the sink did not see, read as soon as it lets go, until the end."""
    left: list[bytes] = []
    while True:
        await exchange.flow(sink)
        piece = await exchange.read()
        if piece is None:
            return left
        left.append(piece)


@pytest.mark.parametrize("takes", [0, 1, 3, 1000])
def test_what_flows_is_handed_on_or_read_and_never_both(vendor: Vendor, takes: int) -> None:
    async def main() -> None:
        client = Client()
        request = chat(vendor.openai, "words:count=40:delay_ms=1")
        expected = await fetch(client, request)
        exchange = await client.open(request, PATIENT)
        await exchange.head()
        taken: list[bytes] = []

        def sink(data: bytes) -> bool:
            taken.append(data)  # what it is given is its own, whatever it says
            return len(taken) % (takes + 1) != 0

        left = await read_with(exchange, sink)
        assert sum(map(len, taken + left)) == len(expected)
        assert taken
        await client.aclose()

    run(main())


def test_a_fault_of_the_sink_is_its_readers(vendor: Vendor) -> None:
    async def main() -> None:
        client = Client()
        exchange = await client.open(chat(vendor.openai, "words:count=5:delay_ms=5"), PATIENT)
        await exchange.head()

        def sink(_data: bytes) -> bool:
            raise KeyError("fault")

        with pytest.raises(KeyError, match="fault"):
            await read_with(exchange, sink)
        exchange.abort()
        await client.aclose()

    run(main())


def test_a_flow_that_falls_silent_is_a_timeout(vendor: Vendor) -> None:
    async def main() -> None:
        client = Client()
        exchange = await client.open(chat(vendor.openai, "stall:after=2"), QUICK)
        await exchange.head()
        with pytest.raises(UpstreamTimeout):
            await read_with(exchange, lambda _data: True)
        await client.aclose()

    run(main())


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        client = Client()
        answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        async with raw_server(answering(answer), _server_tls(tmp_path)) as url:
            with pytest.raises(UpstreamError, match="not trusted"):
                await fetch(client, get(url))
        await client.aclose()

    run(main())


def test_tls_with_a_trusted_certificate_works_and_checks_the_name(tmp_path: Path) -> None:
    async def main() -> None:
        tls = _server_tls(tmp_path)
        trusting = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
        client = Client(tls=trusting)
        answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        async with raw_server(answering(answer, linger=True), tls) as url:
            assert await fetch(client, get(url)) == b"ok"
            assert await fetch(client, get(url)) == b"ok"
            with pytest.raises(UpstreamError, match="not trusted"):
                await fetch(client, get(url.replace("127.0.0.1", "localhost")))
        await client.aclose()

    run(main())


def _server_tls(folder: Path) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that signs itself."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mock vendor")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, *plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=200), cuts=st.lists(st.integers(0, 400), max_size=12))
def test_any_split_of_the_bytes_gives_the_same_body(body: bytes, cuts: list[int]) -> None:
    framed = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    for start in range(0, len(body), 7):
        piece = body[start : start + 7]
        framed += b"%x\r\n%b\r\n" % (len(piece), piece)
    framed += b"0\r\n\r\n"
    places = sorted({min(cut, len(framed)) for cut in cuts} | {0, len(framed)})
    pieces = [framed[a:b] for a, b in pairwise(places)]

    async def main() -> None:
        exchange = Exchange(get("http://localhost"), Timeouts(), _never)
        for piece in pieces:
            exchange.feed(piece)
        assert exchange.status == 200
        assert await whole(exchange) == body

    run(main())


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_whatever_an_upstream_sends_the_exchange_ends_or_waits(data: bytes) -> None:
    async def main() -> None:
        exchange = Exchange(get("http://localhost"), Timeouts(), _never)
        exchange.feed(data)
        exchange.lost(reused=False, broken=False)
        try:
            await exchange.head()
            await whole(exchange)
        except TrivetError as error:
            assert error.status == 502

    run(main())


async def _never(_exchange: Exchange) -> None:
    raise AssertionError("must not be asked for")
