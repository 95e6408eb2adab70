"""Bytes on the wire that a parser alone would refuse."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.kernel.protocol import PUSH
from tests.support.server import running


async def echo(request: Request) -> Response:
    body = (await request.body()).decode()
    return JSONResponse({"q": request.query_params.get("q"), "body": body})


def exchange(*requests: bytes) -> list[bytes]:
    """The answers to requests sent one after the other over one connection."""
    app = Starlette(routes=[Route("/{path:path}", echo, methods=["GET", "POST"])])
    answers = []
    with running(app) as base_url:
        host, port = base_url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            for request in requests:
                connection.sendall(request)
                answers.append(connection.recv(65536))
    return answers


def test_a_raw_utf8_query_is_understood() -> None:
    (answer,) = exchange("GET /search?q=如何备份&k=1 HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    assert orjson.loads(answer.partition(b"\r\n\r\n")[2])["q"] == "如何备份"


def test_bodies_are_left_alone_also_when_they_look_like_a_request() -> None:
    text = "GET /备份 HTTP/1.1\r\n\r\n备份"
    body = text.encode()
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
    (whole,) = exchange(head + body)
    assert orjson.loads(whole.partition(b"\r\n\r\n")[2])["body"] == text


def test_a_body_that_comes_in_parts_is_left_alone() -> None:
    text = "备份\r\nGET /备份"
    body = text.encode()
    app = Starlette(routes=[Route("/", echo, methods=["POST"])])
    with running(app) as base_url:
        parts = (body[:4], body[4:9], body[9:])
        answer = httpx.post(base_url, content=(part for part in parts))
    assert answer.json()["body"] == text


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"\x16\x03\x01\x02\x00\x01\x00",  # TLS on a plain port
        lambda: b"rubbish\r\n\r\n",
        lambda: b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_the_error_body(make: Callable[[], bytes]) -> None:
    (answer,) = exchange(make())
    head, _, body = answer.partition(b"\r\n\r\n")
    error = orjson.loads(body)["error"]
    assert head.startswith(b"HTTP/1.1 400")
    assert (error["type"], error["code"]) == ("invalid_request_error", 400)
    assert error["request_id"].encode() in head


@pytest.mark.parametrize(
    "start", [b"GET /", b"GET / HTTP/1.1\r\nx: ", b"GET / HTTP/1.1\r\nx: y\r\n"]
)
def test_a_head_without_an_end_is_refused_and_not_kept(start: bytes) -> None:
    app = Starlette(routes=[Route("/", echo)])
    with running(app) as base_url:
        host, port = base_url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(start)
            with suppress(ConnectionError):  # it is closed while we send
                for _ in range(1000):
                    connection.sendall(b"x: y\r\n" * 1000 if start.endswith(b"\n") else b"a" * 6000)
                raise AssertionError("it took 6 MB")
        assert httpx.get(base_url).status_code == 200


def test_many_requests_with_heads_within_the_bound_are_answered() -> None:
    request = b"GET / HTTP/1.1\r\nHost: a\r\nx: %b\r\n\r\n" % (b"y" * 30_000)
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in exchange(*[request] * 4))


def test_an_answer_without_a_body_is_sent_too() -> None:
    head = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
    first, second = exchange(head, b"GET /?q=after HTTP/1.1\r\nHost: a\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 200 ")
    assert first.endswith(b"\r\n\r\n")
    assert orjson.loads(second.partition(b"\r\n\r\n")[2])["q"] == "after"


def test_requests_sent_all_at_once_are_answered_one_after_the_other() -> None:
    app = Starlette(routes=[Route("/{path:path}", echo, methods=["GET"])])
    requests = b"".join(
        b"%s /?q=%d HTTP/1.1\r\nHost: a\r\n%s\r\n" % (method, number, close)
        for method, number, close in [
            (b"GET", 1, b""),
            (b"HEAD", 2, b""),
            (b"GET", 3, b"Connection: close\r\n"),
        ]
    )
    received = b""
    with running(app) as base_url:
        host, port = base_url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(requests)
            while piece := connection.recv(65536):
                received += piece
    assert received.count(b"HTTP/1.1 200 ") == 3
    assert received.index(b'"q":"1"') < received.index(b'"q":"3"')
    assert b'"q":"2"' not in received


def test_an_app_that_waits_for_consent_gets_the_body() -> None:
    request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    consent, answer = exchange(request, b"hi")
    assert consent == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert orjson.loads(answer.partition(b"\r\n\r\n")[2])["body"] == "hi"


class Pushing:
    """An application that streams, and tries to push at each stage; `pushed` tells what went."""

    def __init__(self, *, length: bool = False) -> None:
        self.pushed: list[bool] = []
        self._headers = [(b"content-length", b"9")] if length else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        push = scope[PUSH]
        self.pushed.append(push(b"too early"))
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        self.pushed.append(push(b"too early"))
        await send({"type": "http.response.body", "body": b"abc", "more_body": True})
        self.pushed.append(push(b"def"))
        last = b"ghi" if self.pushed[-1] else b"defghi"
        await send({"type": "http.response.body", "body": last, "more_body": False})
        self.pushed.append(push(b"too late"))


@pytest.mark.parametrize("length", [False, True])
def test_a_piece_can_be_pushed_into_a_chunked_body_that_has_begun(length: bool) -> None:
    app = Pushing(length=length)
    with running(served(app)) as base_url, httpx.Client(base_url=base_url) as client:
        bodies = [client.get("/").content for _ in range(2)]
    assert bodies == [b"abcdefghi"] * 2  # over one connection: the framing is right
    assert app.pushed == [False, False, not length, False] * 2


class Lagging:
    """Pushes until the caller lags, and once more when the caller has left."""

    def __init__(self) -> None:
        self.pieces = 0
        self.lags, self.over = threading.Event(), threading.Event()
        self.taken_in_the_end = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        push = scope[PUSH]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        while push(bytes(1024**2)):
            self.pieces += 1
        self.lags.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        self.taken_in_the_end = push(b"y")
        self.over.set()


def served(app: ASGIApp) -> Starlette:
    return Starlette(routes=[Route("/", app)])


def test_nothing_is_pushed_to_a_caller_who_lags_or_has_left() -> None:
    app = Lagging()
    with running(served(app)) as base_url:
        host, port = base_url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert app.lags.wait(10)
        assert app.over.wait(10)
    assert not app.taken_in_the_end
    assert app.pieces < 100  # a hundred MiB that nobody reads are not kept
