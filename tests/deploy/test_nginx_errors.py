"""nginx's own errors have the body of the contract, the request's id, and Retry-After."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from dashscope import Application
from dashscope.api_entities.http_request import close_shared_sync_session

from tests.deploy.site import Site, site
from tests.deploy.upstream import Upstream
from tests.support.ports import free_port
from tests.support.server import running


def check(answer: httpx.Response, status: int, kind: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/json")
    error = answer.json()["error"]
    assert (error["code"], error["type"]) == (status, kind)
    assert error["message"]
    assert error["request_id"] == answer.headers["x-request-id"]


def raw(port: int, request: bytes) -> bytes:
    """What nginx answers to bytes that no client library would send."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An nginx with small limits."""
    limits = {"TRIVET_JSON_BODY_MAX_BYTES": "2048", "TRIVET_UPLOAD_MAX_BYTES": "8192"}
    with site(tmp_path_factory.mktemp("tight"), limits) as found:
        yield found


def test_an_unknown_path_is_404(door: Site) -> None:
    check(httpx.get(door.url("no/such/page")), 404, "not_found_error")


def test_the_error_pages_themselves_cannot_be_asked_for(door: Site) -> None:
    check(httpx.get(door.origin + "/.errors/429"), 404, "not_found_error")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_page_can_only_be_read(door: Site, method: str) -> None:
    check(httpx.request(method, door.url("")), 405, "invalid_request_error")


def test_a_request_line_that_is_no_http_is_400(door: Site) -> None:
    answer = raw(door.settings.http_port, b"RUBBISH\r\n\r\n")
    assert b'"type":"invalid_request_error","code":400' in answer


def test_a_request_without_a_host_is_400(door: Site) -> None:
    answer = raw(door.settings.http_port, b"GET / HTTP/1.1\r\n\r\n")
    assert b'"type":"invalid_request_error","code":400' in answer


def test_an_endless_address_is_414(door: Site) -> None:
    answer = raw(
        door.settings.http_port, b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    assert b'"type":"invalid_request_error","code":414' in answer


def test_endless_headers_are_400(door: Site) -> None:
    answer = httpx.get(door.url("api/search"), headers={"X-Long": "a" * 70_000})
    check(answer, 400, "invalid_request_error")


@pytest.mark.parametrize("path", ["v1/chat/completions", "api/search", "api/analytics/events"])
def test_a_body_above_the_limit_is_413(tight: Site, path: str) -> None:
    check(httpx.post(tight.url(path), content=b"x" * 2049), 413, "payload_too_large")


def test_a_body_at_the_limit_passes(tight: Site) -> None:
    answer = httpx.post(tight.url("api/search"), content=b"x" * 2048)
    assert answer.json()["body_bytes"] == 2048


def test_an_unannounced_body_above_the_limit_is_413(tight: Site) -> None:
    pieces = (b"x" * 512 for _ in range(8))
    check(httpx.post(tight.url("api/search"), content=pieces), 413, "payload_too_large")


def test_uploads_have_their_own_limit(tight: Site) -> None:
    assert httpx.post(tight.url("api/documents"), content=b"x" * 8192).status_code == 200
    answer = httpx.post(tight.url("api/documents"), content=b"x" * 8193)
    check(answer, 413, "payload_too_large")


def test_too_many_requests_are_429_and_say_when_to_come_again(tmp_path: Path) -> None:
    limits = {"TRIVET_RATE_PER_SECOND": "1", "TRIVET_RATE_BURST": "1"}
    with site(tmp_path, limits) as found:
        answers = [httpx.get(found.url("api/search")) for _ in range(4)]
    assert [a.status_code for a in answers[:2]] == [200, 200]
    refused = [a for a in answers if a.status_code != 200]
    assert refused
    for answer in refused:
        check(answer, 429, "rate_limit_error")
        assert answer.headers["retry-after"] == "1"


def test_a_service_that_is_down_is_502(tmp_path: Path) -> None:
    with site(tmp_path, {"TRIVET_KB_URLS": f"http://127.0.0.1:{free_port()}"}) as found:
        answer = httpx.get(found.url("api/search?q=private-question"))
        log = (found.settings.logs / "nginx-error.log").read_text()
    check(answer, 502, "proxy_error")
    assert answer.json()["error"]["message"].startswith("API proxy error: ")
    assert answer.headers["retry-after"] == "1"
    assert "private-question" not in log


APPLICATION = "api/llm/dashscope/apps/app-1/completion"
GENERATION = "api/llm/dashscope/services/aigc/text-generation/generation"


def check_for_dashscope(answer: httpx.Response, status: int, kind: str, code: str) -> None:
    """The body is the contract's, and DashScope's SDK finds what it looks for."""
    check(answer, status, kind)
    body = answer.json()
    assert body["code"] == code
    assert body["message"] == body["error"]["message"]
    assert body["request_id"] == body["error"]["request_id"]


@pytest.mark.parametrize("path", [APPLICATION, GENERATION])
def test_dashscopes_sdk_reads_that_a_body_is_too_large(tight: Site, path: str) -> None:
    answer = httpx.post(tight.url(path), content=b"x" * 2049)
    check_for_dashscope(answer, 413, "payload_too_large", "BadRequest.TooLarge")
    assert "code" not in httpx.post(tight.url("api/llm/doubao"), content=b"x" * 2049).json()


def test_dashscopes_sdk_reads_that_headers_are_too_large(door: Site) -> None:
    answer = httpx.post(door.url(GENERATION), headers={"X-Long": "a" * 70_000})
    check_for_dashscope(answer, 400, "invalid_request_error", "InvalidParameter")


def test_dashscopes_sdk_reads_that_it_calls_too_often(tmp_path: Path) -> None:
    limits = {"TRIVET_RATE_PER_SECOND": "1", "TRIVET_RATE_BURST": "1"}
    with site(tmp_path, limits) as found:
        answers = [httpx.post(found.url(APPLICATION)) for _ in range(4)]
    check_for_dashscope(answers[-1], 429, "rate_limit_error", "Throttling")


def test_dashscopes_sdk_reads_that_a_service_is_down(tmp_path: Path) -> None:
    away = {"TRIVET_LLM_PROXY_URLS": f"http://127.0.0.1:{free_port()}"}
    with site(tmp_path, away) as found:
        answer = httpx.post(found.url(GENERATION))
        sdk = _ask_by_sdk(found.url("api/llm/dashscope"))
    check_for_dashscope(answer, 502, "proxy_error", "InternalError")
    assert (sdk.status_code, sdk.code) == (502, "InternalError")
    assert sdk.message.startswith("API proxy error: ")


def _ask_by_sdk(address: str) -> Any:
    try:
        return Application.call(
            app_id="app-1", prompt="x", api_key="sk-test-not-a-key", base_address=address
        )
    finally:
        close_shared_sync_session()


def test_a_service_that_does_not_take_the_call_is_504(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as silent:
        port = silent.getsockname()[1]
        waiting = [_knock(port) for _ in range(4)]  # its queue is full: a new call hangs
        with site(tmp_path, {"TRIVET_KB_URLS": f"http://127.0.0.1:{port}"}) as found:
            answer = httpx.get(found.url("api/search"), timeout=20)
        for connection in waiting:
            connection.close()
    check(answer, 504, "timeout_error")
    assert answer.headers["retry-after"] == "1"


def _knock(port: int) -> socket.socket:
    connection = socket.socket()
    connection.setblocking(False)
    connection.connect_ex(("127.0.0.1", port))
    return connection


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_instance_that_is_away_is_passed_over(tmp_path: Path, method: str) -> None:
    with running(Upstream("second")) as there:
        urls = f"http://127.0.0.1:{free_port()},{there}"
        with site(tmp_path, {"TRIVET_KB_URLS": urls}) as found:
            answers = [httpx.request(method, found.url("api/search")) for _ in range(6)]
    assert [a.status_code for a in answers] == [200] * 6
    assert {a.json()["service"] for a in answers} == {"second"}


@pytest.mark.parametrize("status", [404, 405, 413, 429, 500, 502, 503, 504])
def test_a_services_own_error_passes_unchanged(door: Site, status: int) -> None:
    answer = httpx.get(door.url("api/search"), headers={"X-Wanted-Status": str(status)})
    assert (answer.status_code, answer.json()["service"]) == (status, "kb")
    assert answer.headers.get_list("retry-after") == ["7"]
