"""The caller leaves: the upstream call is closed at once, in each phase, streaming or not."""

import socket
from collections.abc import Iterator

import orjson
import pytest

from tests.llm_proxy.conftest import Gateway, chat_body
from tests.mock_vendor import Vendor
from tests.support.wait import until


class Caller:
    """A caller with a bare socket, who can leave at any moment."""

    def __init__(self, gateway: Gateway, path: str, body: object) -> None:
        host, _, port = gateway.url.removeprefix("http://").partition(":")
        self._socket = socket.create_connection((host, int(port)), 10)
        content = orjson.dumps(body)
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(content)}\r\n\r\n"
        self._socket.sendall(head.encode() + content)

    def read_until(self, mark: bytes) -> None:
        data = b""
        while mark not in data:
            piece = self._socket.recv(65536)
            assert piece, data
            data += piece

    def read_bytes(self, count: int) -> None:
        while count > 0:
            piece = self._socket.recv(min(count, 1024**2))
            assert piece
            count -= len(piece)

    def leave(self) -> None:
        self._socket.close()


def idle(vendor: Vendor) -> bool:
    return vendor.open_streams == 0


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("model", ["openai/silent", "openai/silent_head", "dashscope/silent"])
def test_leaving_before_the_first_token_closes_the_upstream(
    gateway: Gateway, model: str, stream: bool
) -> None:
    vendor = gateway.vendor
    until(lambda: idle(vendor), 5, "the vendor is idle")
    caller = Caller(gateway, "/v1/chat/completions", chat_body(model, stream=stream))
    until(lambda: vendor.open_streams == 1, 5, "the call is open upstream")
    caller.leave()
    until(lambda: idle(vendor), 0.8, "the upstream is closed")


@pytest.mark.parametrize("model", ["openai/stall:after=2", "dashscope/stall:after=2"])
def test_leaving_while_the_upstream_is_silent_closes_it(gateway: Gateway, model: str) -> None:
    vendor = gateway.vendor
    until(lambda: idle(vendor), 5, "the vendor is idle")
    caller = Caller(gateway, "/v1/chat/completions", chat_body(model, stream=True))
    caller.read_until(b"Hello")
    assert vendor.open_streams == 1
    caller.leave()
    until(lambda: idle(vendor), 0.8, "the upstream is closed")


@pytest.mark.parametrize("read", [True, False], ids=["a reading caller", "one who reads nothing"])
def test_leaving_while_chunks_flow_closes_the_upstream(gateway: Gateway, read: bool) -> None:
    vendor = gateway.vendor
    until(lambda: idle(vendor), 5, "the vendor is idle")
    body = chat_body("openai/words:count=300000", stream=True)
    caller = Caller(gateway, "/v1/chat/completions", body)
    until(lambda: vendor.open_streams == 1, 5, "the call is open upstream")
    if read:
        caller.read_until(b'"w20 "')
    caller.leave()
    until(lambda: idle(vendor), 2, "the upstream is closed")


@pytest.mark.parametrize("stream", [True, False])
def test_leaving_while_kb_searches_ends_the_search(gateway: Gateway, stream: bool) -> None:
    neighbours = gateway.neighbours
    neighbours.busy = True
    try:
        caller = Caller(gateway, "/v1/chat/completions", about_backups("site", stream=stream))
        until(lambda: neighbours.waiting == 1, 5, "kb searches")
        caller.leave()
        until(lambda: neighbours.waiting == 0, 0.8, "the search is given up")
    finally:
        neighbours.busy = False


@pytest.fixture
def knowing(gateway: Gateway) -> Iterator[Gateway]:
    """The gateway, while kb finds something."""
    gateway.neighbours.passages = [{"id": "1", "title": "Backup", "content": "Copy data/."}]
    yield gateway
    gateway.neighbours.passages = []


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("assistant", ["waiting", "rethinking"])
def test_leaving_an_assistant_whose_model_is_silent_closes_the_upstream(
    knowing: Gateway, assistant: str, stream: bool
) -> None:
    vendor = knowing.vendor
    until(lambda: idle(vendor), 5, "the vendor is idle")
    body = about_backups(assistant, stream=stream)
    caller = Caller(knowing, "/v1/chat/completions", body)
    until(lambda: vendor.open_streams == 1, 5, "the call is open upstream")
    caller.leave()
    until(lambda: idle(vendor), 0.8, "the upstream is closed")


def about_backups(assistant: str, *, stream: bool) -> object:
    """A follow-up question, which an assistant may first have rewritten."""
    said = [
        {"role": "user", "content": "How do I back up?"},
        {"role": "assistant", "content": "Copy data/."},
        {"role": "user", "content": "And how long does it take?"},
    ]
    return {"model": f"assistant/{assistant}", "messages": said, "stream": stream}


def test_leaving_is_recorded_with_what_had_been_said(gateway: Gateway) -> None:
    body = chat_body("openai/stall:after=3", stream=True)
    caller = Caller(gateway, "/v1/chat/completions", body)
    caller.read_until("世界".encode())
    request_id = gateway.vendor.requests[-1].headers["x-request-id"]
    caller.leave()
    attributes = gateway.neighbours.event_of(request_id)["attributes"]
    assert attributes["trivet.end_reason"] == "client_disconnect"
    assert attributes["trivet.usage_source"] == "partial"
    assert attributes["gen_ai.usage.output_tokens"] > 0
    assert "error.type" not in attributes


def test_a_caller_who_is_too_slow_holds_the_upstream_back(gateway: Gateway) -> None:
    body = chat_body("openai/words:count=300000", stream=True)
    caller = Caller(gateway, "/v1/chat/completions", body)
    caller.read_until(b'"w5 "')
    connection = gateway.app.state.client
    until(lambda: any_paused(connection), 10, "reading from the upstream is paused")
    caller.leave()
    until(lambda: idle(gateway.vendor), 2, "the upstream is closed")


def any_paused(client: object) -> bool:
    connections = list(client._all)  # type: ignore[attr-defined]  # no other way to see it
    return any(c._exchange is not None and c._exchange.paused for c in connections)
