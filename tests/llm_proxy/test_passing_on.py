"""What neither side says to us goes through untouched, byte for byte."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.llm_proxy.conftest import Gateway

# As a client writes it: our JSON library writes the same bytes.
REQUEST = (
    '{"messages":[{"role":"developer","content":"Be brief.","name":"ann"},'
    '{"role":"user","content":[{"type":"text","text":"这是什么？ \u2028 \\u0000 \U0001f642"},'
    '{"type":"image_url","image_url":{"url":"data:image/png;base64,AA==","detail":"low"}},'
    '{"type":"video_url","video_url":{"url":"https://site.example/a.mp4"}}]},'
    '{"role":"assistant","content":null,"reasoning_content":"Hm.","tool_calls":[{"id":"c1",'
    '"type":"function","function":{"name":"look","arguments":"{\\"where\\": \\"here\\"}"}}]},'
    '{"role":"tool","tool_call_id":"c1","content":"A wall."}],'
    '"tools":[{"type":"function","function":{"name":"look","strict":true,"parameters":'
    '{"type":"object","properties":{"where":{"type":"string"}},"additionalProperties":false}}}],'
    '"tool_choice":{"type":"function","function":{"name":"look"}},"parallel_tool_calls":false,'
    '"response_format":{"type":"json_schema","json_schema":{"name":"x","strict":true,"schema":{}}},'
    '"logprobs":true,"top_logprobs":5,"n":2,"seed":9007199254740993,"temperature":0.1,"top_p":1,'
    '"logit_bias":{"50256":-100},"stop":["\\n","END"],"user":"u","metadata":{"a":"b"},'
    '"thinking":{"type":"enabled"},"enable_thinking":true,"reasoning_effort":"low",'
    '"stream":false,"unheard_of":{"kept":[1,2.5,null,{},[],"",1e-7]},"model":"%s"}'
)
MESSAGE = (
    '{"role":"assistant","content":"你好 \\u4f60 \\/","reasoning_content":"Hm.","refusal":null,'
    '"annotations":[],"tool_calls":[{"id":"c1","type":"function","function":{"name":"f",'
    '"arguments":"{}"}}],"unheard_of":1.0}'
)
LOGPROBS = (
    '{"content":[{"token":"你","logprob":-0.31725305,"bytes":[228,189,160],"top_logprobs":[]}]}'
)
WHOLE = (
    '{ "id": "x",  "object":"chat.completion", "choices":[\n'
    f'{{"index":0,"message":{MESSAGE},"logprobs":{LOGPROBS},"finish_reason":"tool_calls"}},\n'
    '{"index":1,"message":{"role":"assistant","content":"two"},"finish_reason":"length"}],'
    '"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,'
    '"prompt_tokens_details":{"cached_tokens":1}},"system_fingerprint":null}'
)
CHUNKS = [
    '{"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"usage":null}',
    '{"id":"x","choices":[{"index":1,"delta":{"role":"assistant"}}],"unheard_of":[1.0,{ }]}',
    '{"id":"x","choices":[{"index":0,"delta":{"reasoning_content":"Hm \u2028 \u0085"}}]}',
    '{"id":"x","choices":[{"index":1,"delta":{"content":"[DONE]"},"logprobs":' + LOGPROBS + "}]}",
    '{ "id":"x","choices":[{"index":0,"delta":{"content":"\\u4f60\\n\\"usage\\":{}"}}]}',
    '{"id":"x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c"}]}}]}',
    '{"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}',
    '{"id":"x","choices":[{"index":1,"delta":{},"finish_reason":"stop"}],"references":[]}',
    '{"id":"x","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}',
]


@pytest.mark.parametrize("provider", ["openai", "doubao", "deepseek", "tongyi"])
def test_a_request_goes_upstream_as_it_came_but_for_the_models_name(
    gateway: Gateway, provider: str
) -> None:
    asked = (REQUEST % f"{provider}/words").encode()
    assert gateway.post("/v1/chat/completions", asked).status_code == 200
    sent = asked.replace(f'"{provider}/words"'.encode(), b'"words"')
    assert gateway.vendor.requests[-1].raw == sent


def test_a_streams_options_are_kept_and_the_usage_asked_for(gateway: Gateway) -> None:
    options = {"chunk_include_usage": True, "include_obfuscation": False}
    gateway.chat("doubao/words", stream=True, stream_options=options)
    sent = gateway.vendor.requests[-1].body["stream_options"]
    assert sent == {**options, "include_usage": True}


def test_a_whole_answer_comes_back_as_it_was_given(gateway: Gateway) -> None:
    response = gateway.chat("openai/verbatim", answer=WHOLE)
    assert response.content == WHOLE.encode()
    padded = gateway.chat("deepseek/verbatim", answer="\n\n" + WHOLE)
    assert padded.content == WHOLE.encode()


def stream_of(end: str) -> bytes:
    comments = [": keep-alive", "", "id: 7", "event: message"]
    events = [f"{comments[n % 4]}{end}data: {chunk}" for n, chunk in enumerate(CHUNKS)]
    return "".join(f"{event.lstrip(end)}{end}{end}" for event in [*events, "data: [DONE]"]).encode()


def without_ids(stream: bytes, end: str) -> bytes:
    """What is left out: OpenAI's SDK fails on a heartbeat that comes after an id."""
    line = f"id: 7{end}".encode()
    assert line in stream
    return stream.replace(line, b"")


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cuts=st.lists(st.integers(0, 2500), max_size=25),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_a_stream_comes_through_as_it_was_given_however_the_network_cut_it(
    gateway: Gateway, cuts: list[int], end: str
) -> None:
    sent = stream_of(end)
    more: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
    response = gateway.chat("openai/verbatim", answer=sent.decode(), cuts=cuts, **more)
    assert response.status_code == 200, response.text
    assert response.content == without_ids(sent, end)


def test_without_the_wish_for_usage_its_chunk_alone_is_missing(gateway: Gateway) -> None:
    answer = stream_of("\n")
    response = gateway.chat("openai/verbatim", answer=answer.decode(), stream=True)
    sent = without_ids(answer, "\n")
    usage = sent.index(b"data: " + CHUNKS[-1].encode())
    start = sent.rindex(b"\n\n", 0, usage) + 2
    end = sent.index(b"\n\n", usage) + 2
    assert response.content == sent[:start] + sent[end:]
    assert json.loads(CHUNKS[-1])["usage"]["completion_tokens"] == 2
