"""Everything that a vendor can do wrong: the caller gets the contract's error, never more."""

from typing import Any

import pytest

from tests.llm_proxy.conftest import KEY, Gateway, Start, chat_body, events_of, text_of
from tests.mock_vendor import errors

pytestmark = pytest.mark.process

TYPES = {
    400: "invalid_request_error",
    404: "not_found_error",
    413: "payload_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    502: "proxy_error",
    503: "overloaded_error",
    504: "timeout_error",
}


def contracts_status(status: int) -> int:
    """What becomes of a vendor's status."""
    if status in (400, 404, 413, 422, 429):
        return status
    return {503: 503, 529: 503, 408: 504, 504: 504}.get(status, 502)


TABLES = [
    *(("doubao", code, status) for code, status in errors.ARK.items()),
    *(("tongyi", code, status) for code, status in errors.DASHSCOPE.items()),
    *(("dashscope", code, status) for code, status in errors.DASHSCOPE.items()),
    *(("openai", code, status) for code, status in errors.OPENAI.items()),
    *(("deepseek", code, status) for code, status in errors.OPENAI.items()),
]


def assert_error(body: dict[str, Any], status: int, provider: str | None = None) -> dict[str, Any]:
    error: dict[str, Any] = body["error"]
    assert error["code"] == status
    assert error["type"] == TYPES[status]
    assert error["request_id"]
    if status == 502:
        assert error["message"].startswith("API proxy error: ")
    if provider is not None:
        assert error["provider"] == provider
    return error


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("provider", "code", "status"), TABLES)
def test_each_error_of_the_vendors_tables_has_the_contracts_status(
    gateway: Gateway, provider: str, code: str, status: int, stream: bool
) -> None:
    response = gateway.chat(f"{provider}/fail:code={code}:echo=1", stream=stream)
    wanted = contracts_status(status)
    assert response.status_code == wanted
    error = assert_error(response.json(), wanted, provider)
    assert KEY not in response.text
    if status in (400, 404, 413, 422):
        assert "The vendor says no." in error["message"]
    if wanted in (429, 503):
        assert int(response.headers["retry-after"]) >= 1


@pytest.mark.parametrize("provider", ["dashscope", "tongyi"])
def test_an_error_framed_as_events_is_read_all_the_same(gateway: Gateway, provider: str) -> None:
    response = gateway.chat(f"{provider}/fail:code=DataInspectionFailed:sse=1", stream=True)
    assert response.status_code == 400
    assert "The vendor says no." in assert_error(response.json(), 400)["message"]


def test_a_vendors_wish_to_be_left_alone_is_passed_on(gateway: Gateway) -> None:
    transient = gateway.chat("openai/fail:code=rate_limit_exceeded:retry_after=7")
    assert transient.headers["retry-after"] == "7"
    assert "x-should-retry" not in transient.headers
    permanent = gateway.chat("doubao/fail:code=QuotaExceeded")
    assert int(permanent.headers["retry-after"]) >= 600
    assert permanent.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("provider", "code", "status"),
    [
        ("openai", "server_error", 502),
        ("doubao", "InternalServiceError", 502),
        ("doubao", "RateLimitExceeded.EndpointRPMExceeded", 429),
        ("doubao", "InputTextRiskDetection", 400),
        ("tongyi", "DataInspectionFailed", 400),
        ("dashscope", "InvalidParameter", 400),
        ("dashscope", "InvalidApiKey", 502),
        ("dashscope", "Throttling.RateQuota", 429),
    ],
)
def test_an_error_in_a_stream_that_said_nothing_yet_is_an_http_error(
    gateway: Gateway, provider: str, code: str, status: int
) -> None:
    response = gateway.chat(f"{provider}/error_event:code={code}", stream=True)
    assert response.status_code == status
    assert_error(response.json(), status, provider)


@pytest.mark.parametrize(
    ("provider", "code", "status"),
    [
        ("openai", "server_error", 502),
        ("doubao", "ServerOverloaded", 429),
        ("dashscope", "InternalError.Algo", 502),
        ("dashscope", "DataInspectionFailed", 400),
    ],
)
def test_an_error_in_a_stream_that_has_begun_is_an_event_and_the_end(
    gateway: Gateway, provider: str, code: str, status: int
) -> None:
    response = gateway.chat(f"{provider}/error_event:code={code}:after=2", stream=True)
    assert response.status_code == 200
    assert text_of(response).startswith("Hello ")
    events = events_of(response)
    assert events[-1][0] == "error"
    assert_error(events[-1][1], status, provider)
    assert ("message", "[DONE]") not in events


@pytest.mark.parametrize(
    ("model", "status"),
    [
        ("openai/garbage", 502),
        ("openai/html", 502),
        ("openai/notjson", 502),
        ("openai/empty", 502),
        ("openai/gzip", 502),
        ("openai/cut:after=0", 502),
        ("openai/huge_head", 502),
        ("dashscope/notjson", 502),
        ("dashscope/empty", 502),
        ("away/words", 502),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_no_answer_at_all_is_an_http_error(
    gateway: Gateway, model: str, status: int, stream: bool
) -> None:
    response = gateway.chat(model, stream=stream)
    assert response.status_code == status
    assert_error(response.json(), status)


@pytest.mark.parametrize(
    ("model", "status"),
    [
        ("openai/cut:after=2", 502),
        ("openai/truncated:after=2", 502),
        ("openai/stall:after=2", 504),
        ("openai/comments_only:after=2", 504),
        ("openai/huge_event", 502),
        ("dashscope/cut:after=2", 502),
        ("dashscope/truncated:after=2", 502),
        ("dashscope/stall:after=2", 504),
    ],
)
def test_an_answer_that_stops_midway_ends_with_an_error_event(
    gateway: Gateway, model: str, status: int
) -> None:
    response = gateway.chat(model, stream=True)
    assert response.status_code == 200
    events = events_of(response)
    assert [name for name, _ in events].count("error") == 1
    assert_error(events[-1][1], status, model.partition("/")[0])
    assert ("message", "[DONE]") not in events
    assert text_of(response).startswith("Hello ")


@pytest.mark.parametrize("model", ["openai/silent", "openai/silent_head", "dashscope/silent"])
def test_silence_before_the_first_output_is_a_timeout(gateway: Gateway, model: str) -> None:
    response = gateway.chat(model, stream=True)
    assert response.status_code == 504
    assert_error(response.json(), 504)


def test_a_whole_answer_may_take_long_but_not_for_ever(start: Start) -> None:
    with start(timeouts={"total_seconds": 0.5, "first_output_seconds": 0.1}) as own:
        assert own.chat("openai/words:first_ms=250").status_code == 200
        assert own.chat("openai/silent").status_code == 504


def test_an_error_after_a_heartbeat_is_an_event(start: Start) -> None:
    with start(LLM_PROXY_HEARTBEAT_SECONDS="0.05") as own:
        response = own.chat("openai/fail:code=model_not_found:first_ms=300", stream=True)
        assert response.status_code == 200
        assert response.content.startswith(b": keep-alive\n\n")
        [(name, data)] = events_of(response)
        assert name == "error"
        assert_error(data, 404, "openai")


def test_comments_do_not_pass_for_a_sign_of_life(gateway: Gateway) -> None:
    response = gateway.chat("deepseek/comments_only", stream=True)
    assert response.status_code == 504
    assert_error(response.json(), 504, "deepseek")


def test_a_refused_key_is_our_trouble_and_is_not_repeated(gateway: Gateway) -> None:
    response = gateway.chat("wrongkey/words")
    assert response.status_code == 502
    assert_error(response.json(), 502, "wrongkey")
    assert "sk-test-wrong-key" not in response.text


def test_a_provider_without_its_key_names_the_variable(gateway: Gateway) -> None:
    for path, model in (("/api/llm/keyless", None), ("/v1/chat/completions", "keyless/words")):
        response = gateway.post(path, chat_body(model))
        assert response.status_code == 404
        error = assert_error(response.json(), 404, "keyless")
        assert "NOBODY_SETS_THIS" in error["message"]


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/v1/chat/completions", "nobody/words"),
        ("/v1/chat/completions", "words"),
        ("/v1/chat/completions", "assistant/nobody"),
        ("/v1/chat/completions", "wrongkey/not-listed"),
        ("/api/llm/nobody", None),
        ("/api/llm/wrongkey", "not-listed"),
    ],
)
def test_unknown_models_and_providers_are_not_found(
    gateway: Gateway, path: str, model: str | None
) -> None:
    response = gateway.post(path, chat_body(model))
    assert response.status_code == 404
    assert_error(response.json(), 404)


def test_the_administrator_may_use_models_that_are_not_listed(gateway: Gateway) -> None:
    headers = {"Authorization": f"Bearer {gateway.admin_token}"}
    response = gateway.post("/api/llm/away", chat_body("not-listed"), headers=headers)
    assert response.status_code == 502  # nobody listens there: it was tried


DEEP = b'{"messages":[{"role":"user","content":"x"}],"x":' + b"[" * 300 + b"]" * 300 + b"}"
DEEPER = b'{"messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        (b"", 400, None),
        (b"{", 400, None),
        (b"\xff\xfe", 400, None),
        (b'{"messages": [{"role": "user", "content": "x"}], "top_p": NaN}', 400, None),
        (DEEP, 400, None),
        (DEEPER, 400, None),
        (b"[]", 422, None),
        (b'"text"', 422, None),
        ({}, 422, "messages"),
        ({"messages": []}, 422, "messages"),
        ({"messages": "hello"}, 422, "messages"),
        ({"messages": [{"role": "user", "content": "  "}]}, 422, "messages"),
        ({"messages": [{"role": "user", "content": []}]}, 422, "messages"),
        ({"messages": [{"role": "pope", "content": "x"}]}, 422, "messages.0.role"),
        ({"messages": [{"content": "x"}]}, 422, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 7}]}, 422, None),
        ({"messages": [{"role": "user", "content": "x"}] * 3000}, 422, "messages"),
        ({**chat_body("x"), "stream": "yes"}, 422, "stream"),
        ({**chat_body("x"), "model": 7}, 422, "model"),
        ({**chat_body("x"), "model": "m" * 300}, 422, "model"),
        ({**chat_body("x"), "temperature": "hot"}, 422, "temperature"),
        ({**chat_body("x"), "max_tokens": 0}, 422, "max_tokens"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/llm/openai"])
def test_bad_bodies_are_refused_with_the_field_that_is_wrong(
    gateway: Gateway, path: str, body: Any, status: int, param: str | None
) -> None:
    seen = len(gateway.vendor.requests)
    response = gateway.post(path, body)
    assert response.status_code == status
    error = assert_error(response.json(), status)
    if param is not None:
        assert error["param"] == param
    assert len(gateway.vendor.requests) == seen


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_20_mib_is_refused(gateway: Gateway, chunked: bool) -> None:
    size = 20 * 1024**2 + 1
    content: Any = (b"x" * 65536 for _ in range(size // 65536 + 1)) if chunked else b"x" * size
    with gateway.client() as client:
        response = client.post("/v1/chat/completions", content=content)
    assert response.status_code == 413
    assert_error(response.json(), 413)


def test_a_large_body_within_the_limit_goes_through(gateway: Gateway) -> None:
    text = "long " * 1_000_000
    assert gateway.post("/v1/chat/completions", chat_body("openai/words", text)).status_code == 200
    assert gateway.vendor.requests[-1].body["messages"][0]["content"] == text
