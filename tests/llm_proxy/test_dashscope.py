"""DashScope's own shape and paths, and its unmodified SDK."""

from collections.abc import Iterator
from typing import Any

import dashscope
import pytest

from services.kernel.sse import SseParser
from tests.llm_proxy.conftest import KEY, Gateway

APPLICATION = "/api/llm/dashscope/apps/{}/completion"
GENERATION = "/api/llm/dashscope/services/aigc/text-generation/generation"
# The SDK's own annotations speak of classes without the fields that its answers have.
Application: Any = dashscope.Application
Generation: Any = dashscope.Generation
Embedding: Any = dashscope.TextEmbedding
SSE = {"X-DashScope-SSE": "enable"}


def native(prompt: str = "How are you?", **more: Any) -> dict[str, Any]:
    return {"input": {"prompt": prompt}, **more}


@pytest.mark.parametrize("path", ["/api/llm/dashscope", APPLICATION.format("words")])
def test_a_native_body_gets_the_native_shape_back(gateway: Gateway, path: str) -> None:
    asked = native(parameters={"has_thoughts": True}, unheard_of=1)
    response = gateway.post(path, asked)
    assert response.status_code == 200
    assert response.json()["output"]["text"] == "Hello 世界!"
    assert response.json()["usage"]["models"][0]["output_tokens"] == 3
    seen = gateway.vendor.requests[-1]
    assert (seen.path, seen.body) == ("/api/v1/apps/words/completion", asked)
    assert seen.headers["authorization"] == f"Bearer {KEY}"


def test_a_native_body_streams_natively_byte_for_byte(gateway: Gateway) -> None:
    for asked, headers in ((native(stream=True), {}), (native(), SSE)):
        response = gateway.post("/api/llm/dashscope", asked, headers=headers)
        assert response.headers["content-type"].startswith("text/event-stream")
        frames = response.content.split(b"\n\n")
        assert all(b"\nevent:result\n:HTTP_STATUS/200\ndata:{" in f for f in frames if f)
        events = SseParser().feed(response.content)
        assert b'"finish_reason": "stop"' in events[-1].data
        assert "stream" not in gateway.vendor.requests[-1].body


def test_native_generation_goes_to_the_model(gateway: Gateway) -> None:
    asked = {"model": "words", "input": {"messages": [{"role": "user", "content": "Hi"}]}}
    asked["parameters"] = {"result_format": "message"}
    for path in (GENERATION, "/api/llm/tongyi"):
        body = {"input": asked["input"], **asked}
        response = gateway.post(path, {k: v for k, v in body.items() if k != "messages"})
        choice = response.json()["output"]["choices"][0]
        assert choice["message"]["content"] == "Hello 世界!"
        seen = gateway.vendor.requests[-1]
        assert seen.path == "/api/v1/services/aigc/text-generation/generation"
        assert seen.body == asked


@pytest.mark.parametrize("path", ["/api/llm/dashscope", APPLICATION.format("nothing-wrong")])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"input": {}}, 422),
        ({"input": "text"}, 422),
        ({"input": {"prompt": 7}}, 422),
        ({"input": {"messages": "x"}}, 422),
        ({"input": {"prompt": "x"}, "parameters": []}, 422),
    ],
)
def test_bad_native_bodies_are_refused_in_both_ways_of_speaking(
    gateway: Gateway, path: str, body: dict[str, Any], status: int
) -> None:
    response = gateway.post(path, body)
    assert response.status_code == status
    told = response.json()
    assert told["code"] == "InvalidParameter"
    assert told["message"] == told["error"]["message"]
    assert told["request_id"] == told["error"]["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        ("fail:code=InvalidApiKey", 502, "InternalError"),
        ("fail:code=InvalidParameter", 400, "InvalidParameter"),
        ("fail:code=Throttling.RateQuota", 429, "Throttling"),
        ("error_event:code=DataInspectionFailed", 400, "InvalidParameter"),
        ("silent", 504, "RequestTimeOut"),
        ("notjson", 502, "InternalError"),
    ],
)
def test_a_native_stream_that_fails_at_once_is_an_http_error(
    gateway: Gateway, behaviour: str, status: int, code: str
) -> None:
    response = gateway.post(APPLICATION.format(behaviour), native(), headers=SSE)
    assert response.status_code == status
    assert response.json()["code"] == code
    assert response.json()["error"]["code"] == status


@pytest.mark.parametrize("behaviour", ["error_event:code=InternalError:after=2", "cut:after=2"])
def test_a_native_stream_that_fails_midway_ends_with_dashscopes_error_frame(
    gateway: Gateway, behaviour: str
) -> None:
    response = gateway.post(APPLICATION.format(behaviour), native(), headers=SSE)
    assert response.status_code == 200
    assert b"\nevent:result\n" in response.content
    last = response.content.rstrip().split(b"\n\n")[-1]
    assert last.startswith(b'event:error\n:HTTP_STATUS/502\ndata:{"code":"InternalError"')


@pytest.mark.parametrize("path", [APPLICATION.format("words"), GENERATION])
def test_errors_of_the_kernel_are_worded_for_dashscopes_sdk_too(
    gateway: Gateway, path: str
) -> None:
    wrong_key = {"Authorization": "Bearer sk-test-not-ours"}
    with gateway.client() as client:
        answers = {
            405: client.get(path),
            401: client.post(path, json=native(), headers=wrong_key),
            413: client.post(path, content=b"x" * (20 * 1024**2 + 1)),
            400: client.post(path, content=b"{"),
        }
    codes = {400: "InvalidParameter", 401: "InvalidApiKey", 405: "InvalidParameter"}
    for status, response in answers.items():
        assert response.status_code == status
        told = response.json()
        assert told["code"] == codes.get(status, "BadRequest.TooLarge")
        assert told["message"] == told["error"]["message"]
        assert told["request_id"] == told["error"]["request_id"]
        assert told["error"]["code"] == status
    assert answers[405].headers["allow"] == "POST"


def test_other_providers_take_no_native_body(gateway: Gateway) -> None:
    response = gateway.post("/api/llm/openai", native())
    assert response.status_code == 404
    assert response.json()["error"]["param"] == "input"


@pytest.fixture
def sdk(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The vendor's SDK with us as its base."""
    monkeypatch.setattr(dashscope, "base_http_api_url", f"{gateway.url}/api/llm/dashscope")
    yield
    from dashscope.api_entities.http_request import close_shared_sync_session

    close_shared_sync_session()


@pytest.mark.usefixtures("sdk")
def test_the_sdk_calls_an_application() -> None:
    answer = Application.call(app_id="words", prompt="Hi", api_key="anonymous")
    assert answer.status_code == 200
    assert answer.output.text == "Hello 世界!"
    assert answer.output.session_id == "vendor-session"


@pytest.mark.usefixtures("sdk")
@pytest.mark.parametrize("incremental", [True, False])
def test_the_sdk_streams_an_application(incremental: bool) -> None:
    parts = list(
        Application.call(
            app_id="words",
            prompt="Hi",
            api_key="anonymous",
            stream=True,
            incremental_output=incremental,
        )
    )
    assert all(part.status_code == 200 for part in parts)
    texts = [part.output.text for part in parts]
    assert ("".join(texts) if incremental else texts[-1]) == "Hello 世界!"
    assert parts[-1].output.finish_reason == "stop"


@pytest.mark.usefixtures("sdk")
@pytest.mark.parametrize("stream", [True, False])
def test_the_sdk_generates_text(stream: bool) -> None:
    answer = Generation.call(
        model="words",
        messages=[{"role": "user", "content": "Hi"}],
        api_key="anonymous",
        result_format="message",
        stream=stream,
    )
    last = list(answer)[-1] if stream else answer
    assert last.status_code == 200
    assert last.output.choices[0].message.content == "Hello 世界!"


@pytest.mark.usefixtures("sdk")
@pytest.mark.parametrize("stream", [True, False])
def test_the_sdk_gets_tool_calls(gateway: Gateway, stream: bool) -> None:
    tools = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
    answer = Generation.call(
        model="tools",
        messages=[{"role": "user", "content": "Look."}],
        api_key="anonymous",
        result_format="message",
        tools=tools,
        stream=stream,
    )
    last = (list(answer)[-1] if stream else answer).output.choices[0]
    assert last.finish_reason == "tool_calls"
    assert last.message.tool_calls[0]["function"]["arguments"] == '{"where":"here"}'
    assert gateway.vendor.requests[-1].body["parameters"]["tools"] == tools


@pytest.mark.usefixtures("sdk")
def test_the_sdk_embeds(gateway: Gateway) -> None:
    asked = {"model": "vectors", "input": ["one", "three"]}
    answer = Embedding.call(**asked, api_key=gateway.admin_token, dimension=64)
    assert answer.status_code == 200
    assert [item["embedding"] for item in answer.output["embeddings"]] == [[3.0, 0.5], [5.0, 0.5]]
    seen = gateway.vendor.requests[-1]
    assert seen.path == "/api/v1/services/embeddings/text-embedding/text-embedding"
    assert seen.body["parameters"] == {"dimension": 64}
    refused = Embedding.call(**asked, api_key="anonymous")
    assert (refused.status_code, refused.code) == (401, "InvalidApiKey")


@pytest.mark.usefixtures("sdk")
def test_the_sdk_reads_our_errors() -> None:
    refused = Application.call(
        app_id="fail:code=InvalidParameter", prompt="Hi", api_key="anonymous"
    )
    assert (refused.status_code, refused.code) == (400, "InvalidParameter")
    assert "The vendor says no." in refused.message
    assert refused.request_id
    parts = list(
        Application.call(
            app_id="error_event:code=InternalError:after=2",
            prompt="Hi",
            api_key="anonymous",
            stream=True,
        )
    )
    assert parts[0].status_code == 200
    assert parts[-1].code == "InternalError"
    unknown = Application.call(app_id="words", prompt="Hi", api_key="sk-test-not-ours")
    assert unknown.status_code == 401
