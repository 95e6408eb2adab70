"""Unmodified SDKs pass over heartbeats, wherever they come."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from dashscope import Application
from dashscope.api_entities.http_request import close_shared_sync_session
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.llm_proxy.conftest import Gateway, Start

pytestmark = pytest.mark.process

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hi"}]
SLOW = "first_ms=120:delay_ms=60"
HEARTBEAT = b": keep-alive\n\n"


@pytest.fixture
def beating(start: Start) -> Iterator[Gateway]:
    with start(LLM_PROXY_HEARTBEAT_SECONDS="0.05") as gateway:
        yield gateway


@pytest.fixture
def client(beating: Gateway) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{beating.url}/v1", api_key="anonymous", max_retries=0) as made:
        yield made


def test_hearts_beat_before_an_answer_and_within_it(beating: Gateway) -> None:
    before, *within = beating.chat(f"openai/words:{SLOW}", stream=True).content.split(b"data: ")
    assert HEARTBEAT in before
    assert any(HEARTBEAT in piece for piece in within)


@pytest.mark.parametrize("provider", ["openai", "doubao", "anthropic", "dashscope"])
def test_openais_sdk_reads_the_answer_alone(client: OpenAI, provider: str) -> None:
    model = f"{provider}/words:{SLOW}"
    with client.chat.completions.create(model=model, messages=HELLO, stream=True) as stream:
        said = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    assert "".join(said) == "Hello 世界!"


def test_openais_sdk_raises_the_error_that_follows_heartbeats(client: OpenAI) -> None:
    model = "openai/fail:code=invalid_value:first_ms=120"
    with pytest.raises(openai.APIError, match="The vendor says no"):
        list(client.chat.completions.create(model=model, messages=HELLO, stream=True))


@pytest.mark.parametrize("behaviour", ["words", "fail:code=InvalidParameter"])
def test_dashscopes_sdk_reads_the_answer_or_the_error_alone(
    beating: Gateway, behaviour: str
) -> None:
    parts = ask_application(beating, f"{behaviour}:{SLOW}")
    if behaviour == "words":
        assert "".join(part.output.text for part in parts) == "Hello 世界!"
    else:
        [part] = parts
        assert (part.status_code, part.code) == (400, "InvalidParameter")


def ask_application(gateway: Gateway, app_id: str) -> list[Any]:
    """All parts of an answer, as DashScope's SDK gives them."""
    try:
        parts: Any = Application.call(
            app_id=app_id,
            prompt="Hi",
            api_key="anonymous",
            base_address=f"{gateway.url}/api/llm/dashscope",
            stream=True,
            incremental_output=True,
        )
        return list(parts)
    finally:
        close_shared_sync_session()
