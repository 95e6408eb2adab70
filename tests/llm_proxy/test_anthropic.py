"""Anthropic's Messages API behind OpenAI's: both ways, with every trap that is known of it."""

import json
from typing import Any

import pytest

from services.kernel.errors import InvalidRequest
from services.llm_proxy.providers.anthropic_answer import MessageDialect
from services.llm_proxy.providers.anthropic_request import message_body
from services.llm_proxy.providers.base import Ask
from tests.llm_proxy.conftest import KEY, Gateway, events_of, text_of
from tests.mock_vendor import errors

PNG = "data:image/png;base64,AAAA"
LOOK = {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}
USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 3,
    "total_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 4},
}


def body_of(messages: list[dict[str, Any]] | str = "Hi", **more: Any) -> dict[str, Any]:
    """What Anthropic is sent for a chat."""
    given = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
    ask = Ask({"messages": given, **more}, "claude", stream=False, request_id="r")
    return message_body(ask, None)


def chunks_of(gateway: Gateway, model: str, **more: Any) -> list[dict[str, Any]]:
    response = gateway.chat(f"anthropic/{model}", stream=True, **more)
    assert events_of(response)[-1] == ("message", "[DONE]")
    return [data for _, data in events_of(response) if isinstance(data, dict)]


def deltas_of(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]


def test_a_whole_answer_comes_in_openais_shape(gateway: Gateway) -> None:
    response = gateway.chat("anthropic/words")
    assert response.status_code == 200
    answer = response.json()
    assert answer["object"] == "chat.completion"
    assert (answer["id"], answer["model"]) == ("msg_vendor", "claude-test")
    message = {"role": "assistant", "content": "Hello 世界!"}
    assert answer["choices"] == [{"index": 0, "message": message, "finish_reason": "stop"}]
    assert answer["usage"] == USAGE
    seen = gateway.vendor.requests[-1]
    assert seen.path == "/anthropic/v1/messages"
    assert seen.headers["x-api-key"] == KEY
    assert seen.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in seen.headers
    assert seen.headers["x-request-id"] == response.headers["x-request-id"]


@pytest.mark.parametrize("usage", [True, False])
def test_a_stream_comes_in_openais_shape(gateway: Gateway, usage: bool) -> None:
    chunks = chunks_of(gateway, "words", stream_options={"include_usage": usage})
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert {(chunk["id"], chunk["model"]) for chunk in chunks} == {("msg_vendor", "claude-test")}
    first, *said, last = deltas_of(chunks)
    assert first == {"role": "assistant", "content": ""}
    assert "".join(delta["content"] for delta in said) == "Hello 世界!"
    assert last == {}
    assert [c["choices"][0]["finish_reason"] for c in chunks if c["choices"]][-1] == "stop"
    assert [chunk["usage"] for chunk in chunks if "usage" in chunk] == ([USAGE] if usage else [])


def test_the_usage_is_recorded_with_what_was_cached(gateway: Gateway) -> None:
    response = gateway.chat("anthropic/words", stream=True)
    event = gateway.neighbours.event_of(response.headers["x-request-id"])["attributes"]
    assert event["gen_ai.usage.input_tokens"] == 9
    assert event["gen_ai.usage.output_tokens"] == 3
    assert event["gen_ai.usage.cache_read.input_tokens"] == 4
    assert event["gen_ai.usage.cache_creation.input_tokens"] == 3
    assert event["gen_ai.response.model"] == "claude-test"
    assert event["gen_ai.response.finish_reasons"] == ["stop"]
    assert event["trivet.usage_source"] == "exact"


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("something_new", "stop"),
    ],
)
def test_each_reason_of_the_end_has_openais_name(
    gateway: Gateway, reason: str, finish: str
) -> None:
    model = f"words:stop={reason}"
    whole = gateway.chat(f"anthropic/{model}").json()
    assert whole["choices"][0]["finish_reason"] == finish
    assert chunks_of(gateway, model)[-1]["choices"][0]["finish_reason"] == finish


def test_tool_calls_come_as_openai_tells_them(gateway: Gateway) -> None:
    called = [
        {"id": "toolu_1", "type": "function", "function": {"name": "look"}},
        {"id": "toolu_2", "type": "function", "function": {"name": "look"}},
    ]
    arguments = [{"where": "here"}, {}]
    choice = gateway.chat("anthropic/tools").json()["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    for call, known, given in zip(choice["message"]["tool_calls"], called, arguments, strict=True):
        assert json.loads(call["function"].pop("arguments")) == given
        assert call == known
    parts = [
        d["tool_calls"][0] for d in deltas_of(chunks_of(gateway, "tools")) if "tool_calls" in d
    ]
    heads = [part for part in parts if "id" in part]
    assert [head["id"] for head in heads] == ["toolu_1", "toolu_2"]
    for index, given in enumerate(arguments):
        said = [p["function"]["arguments"] for p in parts if p["index"] == index]
        assert json.loads("".join(said)) == given


def test_thoughts_become_reasoning_content_and_can_be_sent_back(gateway: Gateway) -> None:
    answer = gateway.chat("anthropic/reasoning").json()
    assert answer["usage"]["completion_tokens_details"] == {"reasoning_tokens": 2}
    message = answer["choices"][0]["message"]
    assert message["reasoning_content"] == "Let me think."
    deltas = deltas_of(chunks_of(gateway, "reasoning"))
    assert "".join(d.get("reasoning_content", "") for d in deltas) == "Let me think."
    streamed = [block for d in deltas for block in d.get("thinking_blocks", [])]
    assert [block.pop("index") for block in streamed] == [0, 1]
    assert streamed == message["thinking_blocks"]
    history = [{"role": "user", "content": "Hi"}, message, {"role": "user", "content": "Go on"}]
    gateway.post("/v1/chat/completions", {"model": "anthropic/words", "messages": history})
    sent = gateway.vendor.requests[-1].body["messages"][1]
    text = {"type": "text", "text": "Hello 世界!"}
    assert sent == {"role": "assistant", "content": [*message["thinking_blocks"], text]}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("code", "status"), errors.ANTHROPIC.items())
def test_each_error_has_the_contracts_status(
    gateway: Gateway, code: str, status: int, stream: bool
) -> None:
    response = gateway.chat(f"anthropic/fail:code={code}:echo=1", stream=stream)
    wanted = {401: 502, 402: 502, 403: 502, 500: 502, 529: 503}.get(status, status)
    assert response.status_code == wanted
    error = response.json()["error"]
    assert (error["code"], error["provider"]) == (wanted, "anthropic")
    assert KEY not in response.text


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("overloaded_error", 503),
        ("rate_limit_error", 429),
        ("invalid_request_error", 400),
        ("api_error", 502),
        ("billing_error", 502),
    ],
)
def test_an_error_within_a_stream_is_http_before_the_first_word_and_an_event_after_it(
    gateway: Gateway, code: str, status: int
) -> None:
    early = gateway.chat(f"anthropic/error_event:code={code}:after=2", stream=True)
    assert early.status_code == status
    late = gateway.chat(f"anthropic/error_event:code={code}:after=4", stream=True)
    assert late.status_code == 200
    assert text_of(late) == "Hello "
    name, data = events_of(late)[-1]
    assert (name, data["error"]["code"]) == ("error", status)


@pytest.mark.parametrize(
    ("model", "status"),
    [("cut:after=4", 502), ("truncated:after=4", 502), ("stall:after=4", 504)],
)
def test_an_answer_that_stops_midway_ends_with_an_error_event(
    gateway: Gateway, model: str, status: int
) -> None:
    events = events_of(gateway.chat(f"anthropic/{model}", stream=True))
    assert (events[-1][0], events[-1][1]["error"]["code"]) == ("error", status)
    assert ("message", "[DONE]") not in events


@pytest.mark.parametrize("model", ["notjson", "empty", "html"])
@pytest.mark.parametrize("stream", [True, False])
def test_what_is_no_answer_is_an_error(gateway: Gateway, model: str, stream: bool) -> None:
    assert gateway.chat(f"anthropic/{model}", stream=stream).status_code == 502


@pytest.mark.parametrize("form", ["bytes=1", "crlf=1", "cr=1:bytes=1", "nospace=1"])
def test_however_its_events_are_framed_the_answer_is_whole(gateway: Gateway, form: str) -> None:
    assert text_of(gateway.chat(f"anthropic/form:{form}", stream=True)) == "Hello 世界!"


def test_there_are_no_embeddings(gateway: Gateway) -> None:
    headers = {"Authorization": f"Bearer {gateway.admin_token}"}
    asked = {"model": "anthropic/words", "input": "x"}
    assert gateway.post("/v1/embeddings", asked, headers=headers).status_code == 404


# -- what is sent ---------------------------------------------------------------------------------


def test_the_system_stands_apart_and_a_length_is_always_told() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
    ]
    sent = body_of(messages)
    assert sent == {
        "model": "claude",
        "max_tokens": 4096,
        "stream": False,
        "system": "Be brief.\n\nBe kind.",
        "messages": [{"role": "user", "content": "Hi"}],
    }
    assert body_of(max_tokens=7)["max_tokens"] == 7
    assert body_of(max_tokens=7, max_completion_tokens=8)["max_tokens"] == 8
    ask = Ask({"messages": messages[2:], "max_tokens": 99}, "c", stream=True, request_id="r")
    assert message_body(ask, 50)["max_tokens"] == 50
    parts = [{"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral"}}]
    assert body_of([{"role": "system", "content": parts}, messages[2]])["system"] == parts


def test_images_and_files_become_blocks() -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PNG}},
        {"type": "image_url", "image_url": {"url": "https://site.example/a.png"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,QQ=="}},
        {"type": "text", "text": ""},
        {"type": "search_result", "anthropics": "own"},
    ]
    [message] = body_of([{"role": "user", "content": parts}])["messages"]
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "QQ=="}
    assert message["content"] == [
        parts[0],
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
        },
        {"type": "image", "source": {"type": "url", "url": "https://site.example/a.png"}},
        {"type": "document", "source": pdf},
        parts[5],
    ]


def test_tools_calls_and_results_are_translated_and_stand_together() -> None:
    def call(number: int, arguments: str) -> dict[str, Any]:
        function = {"name": "look", "arguments": arguments}
        return {"id": f"c{number}", "type": "function", "function": function}

    sent = body_of(
        [
            {"role": "user", "content": "Look."},
            {"role": "assistant", "content": None, "tool_calls": [call(1, '{"a":1}'), call(2, "")]},
            {"role": "tool", "tool_call_id": "c1", "content": "A wall."},
            {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "Sky."}]},
            {"role": "user", "content": "Well?"},
        ],
        tools=[{"type": "function", "function": LOOK}, {"type": "web_search_20250305"}],
        parallel_tool_calls=False,
    )
    assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "user"]
    assert sent["messages"][1]["content"] == [
        {"type": "tool_use", "id": "c1", "name": "look", "input": {"a": 1}},
        {"type": "tool_use", "id": "c2", "name": "look", "input": {}},
    ]
    assert sent["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": "c1", "content": "A wall."},
        {"type": "tool_result", "tool_use_id": "c2", "content": [{"type": "text", "text": "Sky."}]},
        {"type": "text", "text": "Well?"},
    ]
    look = {"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}
    assert sent["tools"] == [look, {"type": "web_search_20250305"}]
    assert sent["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ({"type": "function", "function": {"name": "look"}}, {"type": "tool", "name": "look"}),
    ],
)
def test_the_choice_of_a_tool_is_translated(choice: Any, told: dict[str, str]) -> None:
    tools = [{"type": "function", "function": LOOK}]
    assert body_of(tools=tools, tool_choice=choice)["tool_choice"] == told
    assert "tool_choice" not in body_of(tool_choice=choice)


def test_its_own_fields_are_kept_and_openais_alone_left_out() -> None:
    sent = body_of(
        temperature=1.7,
        top_p=0.5,
        top_k=3,
        stop=["END", " "],
        user="ann",
        seed=7,
        logprobs=True,
        frequency_penalty=1,
        n=1,
        thinking={"type": "adaptive"},
        reasoning_effort="low",
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {"a": 1}}},
    )
    sent.pop("messages")
    assert sent == {
        "model": "claude",
        "max_tokens": 4096,
        "stream": False,
        "temperature": 1,
        "top_p": 0.5,
        "top_k": 3,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "ann"},
        "thinking": {"type": "adaptive"},
        "output_config": {
            "effort": "low",
            "format": {"type": "json_schema", "schema": {"a": 1}},
        },
    }
    assert "JSON object" in body_of(response_format={"type": "json_object"})["system"]


@pytest.mark.parametrize(
    ("message", "more"),
    [
        ({"content": "Hi"}, {"n": 2}),
        ({"content": [{"type": "image_url", "image_url": {}}]}, {}),
        ({"role": "assistant", "tool_calls": [{"function": {"arguments": "{"}}]}, {}),
        ({"role": "assistant", "tool_calls": ["x"]}, {}),
    ],
)
def test_what_it_cannot_do_is_the_callers_error(
    message: dict[str, Any], more: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest):
        body_of([{"role": "user", **message}], **more)


def test_an_assistants_sources_are_in_the_first_chunk_or_in_the_message() -> None:
    extra = {"model": "assistant/site", "citations": [{"index": 1}]}
    dialect = MessageDialect("p", secret="", wants_usage=False, extra=extra)
    start = b'data: {"type":"message_start","message":{"id":"m","model":"c"}}\n\n'
    word = b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"x"}}\n\n'
    reader = dialect.stream()
    assert reader.feed(start) == b""
    first, second = reader.feed(word).removesuffix(b"\n\n").split(b"\n\n")
    assert json.loads(first[6:])["citations"] == [{"index": 1}]
    assert json.loads(first[6:])["model"] == "assistant/site"
    assert "citations" not in json.loads(second[6:])
    body, _ = dialect.whole(b'{"content":[{"type":"text","text":"x"}]}')
    assert json.loads(body)["choices"][0]["message"]["citations"] == [{"index": 1}]
