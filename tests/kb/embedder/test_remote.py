"""A model behind an OpenAI-compatible endpoint: a real server that answers, refuses and fails."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from services.kb.embedder.remote import Endpoint, RemoteEncoder
from services.kernel.errors import Overloaded, UpstreamError
from tests.support.ports import free_port


class _Handler(BaseHTTPRequestHandler):
    seen: list[tuple[str, dict[str, Any]]]
    status = 200

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append((self.headers["Authorization"], body))
        items = [
            {"index": i, "embedding": [float(len(text)), 3.0]}
            for i, text in enumerate(body["input"])
        ]
        answer = json.dumps({"data": items[::-1], "usage": {"total_tokens": 7}}).encode()
        self.send_response(type(self).status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def handler() -> Iterator[tuple[type[_Handler], str]]:
    kind = type("Handler", (_Handler,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield kind, f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def test_texts_become_vectors_in_their_order(handler: tuple[type[_Handler], str]) -> None:
    kind, url = handler
    encoder = RemoteEncoder(Endpoint(url, "some/model", "sk-test-not-a-key", "q: ", "p: "))
    encoded = encoder.encode(["a", ""], "passage")
    assert np.allclose(encoded.vectors, [[0.8, 0.6], [3 / np.sqrt(18)] * 2])
    assert encoded.tokens == 7
    assert (encoder.card.name, encoder.card.dimensions) == ("some/model", 2)
    assert kind.seen[-1][0] == "Bearer sk-test-not-a-key"
    assert kind.seen[-1][1]["input"] == ["p: a", "p: "]
    assert kind.seen[-1][1]["model"] == "some/model"
    encoder.rest()


@pytest.mark.parametrize(("status", "error"), [(422, UpstreamError), (500, Overloaded)])
def test_its_errors_become_ours(
    handler: tuple[type[_Handler], str], status: int, error: type[Exception]
) -> None:
    kind, url = handler
    encoder = RemoteEncoder(Endpoint(url, "m", ""))
    kind.status = status
    with pytest.raises(error):
        encoder.encode(["a"], "query")


def test_an_endpoint_that_is_away_is_overloaded() -> None:
    with pytest.raises(Overloaded):
        RemoteEncoder(Endpoint(f"http://127.0.0.1:{free_port()}/v1", "m", ""))
