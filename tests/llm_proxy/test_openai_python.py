"""The unmodified Python SDK of OpenAI against the gateway."""

import json
from collections.abc import Iterator

import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.llm_proxy.conftest import Gateway

pytestmark = pytest.mark.process

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "你好"}]


@pytest.fixture
def client(gateway: Gateway) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{gateway.url}/v1", api_key="anonymous", max_retries=0) as made:
        yield made


@pytest.mark.parametrize(
    "model", ["openai/words", "doubao/words", "anthropic/words", "dashscope/app", "short"]
)
def test_it_chats(client: OpenAI, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=HELLO)
    assert answer.choices[0].message.content == "Hello 世界!"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 12


@pytest.mark.parametrize("usage", [True, False])
@pytest.mark.parametrize(
    "model", ["openai/words", "deepseek/keepalive", "anthropic/words", "dashscope/app"]
)
def test_it_streams(client: OpenAI, model: str, usage: bool) -> None:
    with client.chat.completions.create(
        model=model, messages=HELLO, stream=True, stream_options={"include_usage": usage}
    ) as stream:
        chunks = list(stream)
    said = [c.choices[0].delta.content or "" for c in chunks if c.choices]
    assert "".join(said) == "Hello 世界!"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert (chunks[-1].usage is not None) is usage


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_it_calls_tools(client: OpenAI, provider: str) -> None:
    with client.chat.completions.stream(model=f"{provider}/tools", messages=HELLO) as stream:
        final = stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert calls is not None
    assert json.loads(calls[0].function.arguments) == {"where": "here"}
    assert final.choices[0].finish_reason == "tool_calls"


def test_it_puts_thoughts_together(client: OpenAI) -> None:
    """Its own way of adding deltas up must understand ours."""
    with client.chat.completions.stream(model="anthropic/reasoning", messages=HELLO) as stream:
        message = stream.get_final_completion().choices[0].message.model_dump()
    assert message["reasoning_content"] == "Let me think."
    assert [block["type"] for block in message["thinking_blocks"]] == [
        "thinking",
        "redacted_thinking",
    ]


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("nobody/x", openai.NotFoundError),
        ("openai/fail:code=invalid_value", openai.BadRequestError),
        ("openai/fail:code=unprocessable", openai.UnprocessableEntityError),
        ("openai/fail:code=rate_limit_exceeded", openai.RateLimitError),
        ("openai/fail:code=invalid_api_key", openai.InternalServerError),
        ("openai/silent", openai.InternalServerError),
    ],
)
def test_it_raises_the_error_that_fits(
    client: OpenAI, model: str, error: type[openai.APIStatusError]
) -> None:
    with pytest.raises(error) as raised:
        list(client.chat.completions.create(model=model, messages=HELLO, stream=True))
    assert raised.value.response.headers["x-request-id"]


@pytest.mark.parametrize("model", ["openai/error_event:after=2", "openai/cut:after=2"])
def test_it_notices_a_stream_that_breaks(client: OpenAI, model: str) -> None:
    said = []
    with pytest.raises(openai.APIError) as raised:  # the loop is what is watched
        for chunk in client.chat.completions.create(model=model, messages=HELLO, stream=True):
            said.append(chunk.choices[0].delta.content or "")
    assert "".join(said).startswith("Hello ")
    assert raised.value.message.startswith("API proxy error: ")


def test_it_refuses_a_wrong_key(gateway: Gateway) -> None:
    with (
        OpenAI(base_url=f"{gateway.url}/v1", api_key="sk-test-nobodys", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.chat.completions.create(model="openai/words", messages=HELLO)


def test_it_lists_models_and_embeds(gateway: Gateway) -> None:
    with OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.admin_token) as client:
        assert "openai/words" in [model.id for model in client.models.list()]
        answer = client.embeddings.create(model="openai/vectors", input=["one", "three"])
        assert [item.embedding[0] for item in answer.data] == [3.0, 5.0]
