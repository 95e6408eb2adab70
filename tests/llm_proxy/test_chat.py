"""Chats in OpenAI's shape, with each provider."""

from typing import Any

import orjson
import pytest

from tests.llm_proxy.conftest import KEY, Gateway, Start, chat_body, events_of, text_of

ANSWER = "Hello 世界!"
OPENAI_SHAPED = ("openai", "doubao", "deepseek", "tongyi")
ALL = (*OPENAI_SHAPED, "dashscope", "cumulative")


@pytest.mark.parametrize("provider", ALL)
def test_a_whole_answer_comes_in_openais_shape(gateway: Gateway, provider: str) -> None:
    response = gateway.post(f"/api/llm/{provider}", chat_body(None))
    assert response.status_code == 200
    body = response.json()
    assert body["choices"][0]["message"]["content"] == ANSWER
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"] == {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}


@pytest.mark.parametrize("provider", ALL)
def test_a_stream_comes_in_openais_shape(gateway: Gateway, provider: str) -> None:
    response = gateway.post(f"/api/llm/{provider}", chat_body(None, stream=True))
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"
    assert text_of(response) == ANSWER
    assert events_of(response)[-1] == ("message", "[DONE]")


@pytest.mark.parametrize("provider", ALL)
def test_the_usage_chunk_comes_only_when_it_was_asked_for(gateway: Gateway, provider: str) -> None:
    def usages(**more: Any) -> list[Any]:
        response = gateway.post(f"/api/llm/{provider}", chat_body(None, stream=True, **more))
        chunks = [data for _, data in events_of(response) if isinstance(data, dict)]
        return [chunk["usage"] for chunk in chunks if chunk.get("usage")]

    assert usages() == []
    assert usages(stream_options={"include_usage": True}) == [
        {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    ]


@pytest.mark.parametrize("provider", OPENAI_SHAPED)
def test_a_stream_is_byte_for_byte_the_vendors_but_for_the_usage(
    gateway: Gateway, provider: str
) -> None:
    asked = chat_body(None, stream=True, stream_options={"include_usage": True})
    response = gateway.post(f"/api/llm/{provider}", asked)
    start = b'data: {"id":"chatcmpl-vendor","object":"chat.completion.chunk","created":1763800000'
    assert all(
        event.startswith(start) or event == b"data: [DONE]"
        for event in response.content.split(b"\n\n")
        if event
    )


def test_a_model_is_named_with_its_provider_or_by_an_alias_or_not_at_all(gateway: Gateway) -> None:
    for model in ("openai/words", "short", None):
        assert gateway.post("/v1/chat/completions", chat_body(model)).status_code == 200
        assert gateway.vendor.requests[-1].path == "/openai/v1/chat/completions"
        assert gateway.vendor.requests[-1].body["model"] == "words"


def test_what_goes_upstream_is_what_was_sent_and_our_own_words(gateway: Gateway) -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
    ]
    asked = {
        "model": "openai/words",
        "messages": [{"role": "user", "content": parts, "name": "ann"}],
        "tools": [{"type": "function", "function": {"name": "look", "parameters": {}}}],
        "response_format": {"type": "json_object"},
        "logprobs": True,
        "n": 1,
        "unheard_of": {"kept": [1, 2.5, None]},
    }
    response = gateway.post(
        "/v1/chat/completions", asked, headers={"X-Request-ID": "test-request-1"}
    )
    assert response.headers["x-request-id"] == "test-request-1"
    seen = gateway.vendor.requests[-1]
    assert seen.body == {**asked, "model": "words"}
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["x-request-id"] == "test-request-1"
    assert seen.headers["user-agent"].startswith("Trivet/")
    assert seen.headers["content-type"] == "application/json"
    assert "cookie" not in seen.headers


def test_a_callers_credential_never_goes_upstream(gateway: Gateway) -> None:
    headers = {"Authorization": f"Bearer {gateway.admin_token}"}
    gateway.post("/v1/chat/completions", chat_body("openai/words"), headers=headers)
    assert gateway.admin_token not in str(gateway.vendor.requests[-1].headers)


def test_doubaos_bots_have_their_own_path_and_its_calls_a_client_id(gateway: Gateway) -> None:
    gateway.chat("doubao/bot-words", max_tokens=5, max_completion_tokens=6)
    seen = gateway.vendor.requests[-1]
    assert seen.path == "/ark/api/v3/bots/chat/completions"
    assert seen.headers["x-client-request-id"] == seen.headers["x-request-id"]
    assert seen.body["max_completion_tokens"] == 6
    assert "max_tokens" not in seen.body


def test_thoughts_and_tool_calls_pass_through(gateway: Gateway) -> None:
    for model in ("reasoning", "tools"):
        whole = gateway.chat(f"doubao/{model}").json()["choices"][0]
        stream = gateway.chat(f"doubao/{model}", stream=True)
        deltas = [d["choices"][0]["delta"] for _, d in events_of(stream) if isinstance(d, dict)]
        if model == "reasoning":
            assert whole["message"]["reasoning_content"] == "Let me think."
            assert "".join(d.get("reasoning_content", "") for d in deltas) == "Let me think."
        else:
            assert whole["message"]["tool_calls"][0]["function"]["name"] == "look"
            calls = [d["tool_calls"][0]["function"] for d in deltas if "tool_calls" in d]
            assert "".join(call.get("arguments", "") for call in calls) == '{"where":"here"}'


def test_deepseeks_blank_lines_and_comments_do_no_harm(gateway: Gateway) -> None:
    whole = gateway.chat("deepseek/keepalive")
    assert whole.content.startswith(b"{")
    assert whole.json()["choices"][0]["message"]["content"] == ANSWER
    assert text_of(gateway.chat("deepseek/keepalive", stream=True)) == ANSWER


@pytest.mark.parametrize(
    "form", ["bytes=1", "crlf=1", "cr=1", "bom=1", "nospace=1", "crlf=1:bytes=1", "cr=1:bytes=1"]
)
@pytest.mark.parametrize("provider", ["openai", "dashscope"])
def test_however_a_vendor_frames_its_events_the_answer_is_whole(
    gateway: Gateway, provider: str, form: str
) -> None:
    response = gateway.chat(f"{provider}/form:{form}", stream=True)
    assert text_of(response) == ANSWER
    assert events_of(response)[-1] == ("message", "[DONE]")


@pytest.mark.parametrize("stream", [True, False])
def test_a_body_without_length_is_read_to_its_end(gateway: Gateway, stream: bool) -> None:
    response = gateway.chat("openai/until_close", stream=stream)
    said = text_of(response) if stream else response.json()["choices"][0]["message"]["content"]
    assert said == ANSWER


def test_chunks_arrive_apart_as_the_vendor_sends_them(gateway: Gateway) -> None:
    body = chat_body("openai/words:count=5:delay_ms=80", stream=True)
    with (
        gateway.client() as client,
        client.stream("POST", "/v1/chat/completions", content=orjson.dumps(body)) as response,
    ):
        pieces = [piece for piece in response.iter_raw() if b'"content":"w' in piece]
    assert len(pieces) == 5


def test_a_long_wait_is_bridged_by_heartbeats(start: Start) -> None:
    with start(LLM_PROXY_HEARTBEAT_SECONDS="0.05", timeouts={"first_output_seconds": 10}) as own:
        response = own.chat("openai/words:first_ms=300", stream=True)
        assert response.content.startswith(b": keep-alive\n\n")
        assert text_of(response) == ANSWER


def test_a_sessions_id_and_thoughts_and_sources_of_an_application_are_kept(
    gateway: Gateway,
) -> None:
    asked = chat_body("dashscope/sources", session_id="session-7")
    whole = gateway.post("/v1/chat/completions", asked).json()
    assert gateway.vendor.requests[-1].body["input"] == {
        "prompt": "How are you?",
        "session_id": "session-7",
    }
    assert whole["session_id"] == "session-7"
    citation = whole["choices"][0]["message"]["citations"][0]
    assert (citation["index"], citation["title"]) == (1, "Backup")
    assert citation["url"] == "https://docs.example/backup"
    stream = gateway.post("/v1/chat/completions", {**asked, "stream": True})
    chunks = [data for _, data in events_of(stream) if isinstance(data, dict)]
    assert chunks[0]["session_id"] == "session-7"
    assert [chunk["citations"] for chunk in chunks if "citations" in chunk] == [[citation]]
    thinking = gateway.chat("dashscope/reasoning", stream=True)
    deltas = [d["choices"][0]["delta"] for _, d in events_of(thinking) if isinstance(d, dict)]
    assert "Let me think." in [delta.get("reasoning_content") for delta in deltas]


def test_an_application_gets_the_conversation_as_messages(gateway: Gateway) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
    ]
    asked = {"model": "dashscope/app", "messages": messages, "temperature": 0.5, "has_thoughts": 1}
    gateway.post("/v1/chat/completions", {**asked, "stream": True})
    seen = gateway.vendor.requests[-1]
    assert seen.path == "/api/v1/apps/words/completion"
    assert seen.headers["x-dashscope-sse"] == "enable"
    assert seen.body == {
        "input": {"messages": [messages[0], {"role": "user", "content": "Hello"}]},
        "parameters": {"temperature": 0.5, "has_thoughts": 1, "incremental_output": True},
    }


def test_a_clean_connection_serves_the_next_call(gateway: Gateway) -> None:
    for stream in (True, False, True):
        gateway.chat("openai/words", stream=stream)
    last = [seen.connection for seen in gateway.vendor.requests[-3:]]
    assert len(set(last)) == 1


def test_embeddings_are_for_those_with_a_credential(gateway: Gateway) -> None:
    body = {"model": "openai/vectors", "input": ["one", "two"]}
    assert gateway.post("/v1/embeddings", body).status_code == 401
    headers = {"Authorization": f"Bearer {gateway.admin_token}"}
    for model in ("openai/vectors", None):
        asked = {**body, "model": model} if model else {"input": ["one", "two"]}
        response = gateway.post("/v1/embeddings", asked, headers=headers)
        assert [item["embedding"] for item in response.json()["data"]] == [[3.0, 0.5], [3.0, 0.5]]
    for model, status in (("deepseek/words", 404), ("dashscope/app", 404), ("nobody/x", 404)):
        response = gateway.post("/v1/embeddings", {**body, "model": model}, headers=headers)
        assert response.status_code == status


@pytest.mark.parametrize("provider", ["openai", "doubao", "tongyi"])
def test_each_provider_that_has_embeddings_gives_them(gateway: Gateway, provider: str) -> None:
    headers = {"Authorization": f"Bearer {gateway.admin_token}"}
    body = {"model": f"{provider}/vectors", "input": "text", "dimensions": 64, "unheard_of": 1}
    response = gateway.post("/v1/embeddings", body, headers=headers)
    assert response.json()["data"][0]["embedding"] == [4.0, 0.5]
    assert gateway.vendor.requests[-1].body == {**body, "model": "vectors"}


def test_ark_embeds_parts_together_and_the_answer_is_a_list_all_the_same(
    gateway: Gateway,
) -> None:
    headers = {"Authorization": f"Bearer {gateway.admin_token}"}
    parts = [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "x"}}]
    body = {"model": "doubao/vectors", "input": parts}
    response = gateway.post("/v1/embeddings", body, headers=headers)
    only = {"object": "embedding", "index": 0, "embedding": [2.0, 0.5]}
    assert response.json()["data"] == [only]
    assert gateway.vendor.requests[-1].path == "/ark/api/v3/embeddings/multimodal"


def test_models_are_listed_with_aliases_and_assistants_last(gateway: Gateway) -> None:
    with gateway.client() as client:
        listed = [item["id"] for item in client.get("/v1/models").json()["data"]]
    assert listed[0] == "openai/words"
    assert "dashscope/app" in listed
    assert "openai/vectors" not in listed
    assert not any(name.startswith("keyless/") for name in listed)
    assistants = [name for name in listed if name.startswith("assistant/")]
    assert "assistant/site" in assistants
    assert listed[-len(assistants) - 1 :] == ["short", *assistants]


def test_providers_are_for_the_administrator_and_show_no_key(gateway: Gateway) -> None:
    with gateway.client() as client:
        assert client.get("/api/llm/providers").status_code == 401
        headers = {"Authorization": f"Bearer {gateway.admin_token}"}
        gateway.chat("openai/words")
        response = client.get("/api/llm/providers", headers=headers)
    items = {item["name"]: item for item in response.json()["items"]}
    assert items["openai"]["configured"] is True
    assert items["openai"]["reachable"] is True
    assert items["keyless"] == {
        "name": "keyless",
        "adapter": "doubao",
        "configured": False,
        "set_variable": "NOBODY_SETS_THIS",
        "default_model": "words",
        "models": ["words"],
        "reachable": None,
        "last_error": None,
        "keys": 0,
        "deployments": [
            {
                "model": "words",
                "key": 1,
                "usable": True,
                "cooling_down_until": None,
                "running": 0,
                "failures": 0,
                "reachable": None,
                "last_error": None,
            }
        ],
    }
    assert KEY not in response.text
