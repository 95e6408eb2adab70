"""Tokens as vendors tell them, and what they cost by the price table."""

from typing import Any

import pytest

from services.llm_proxy.catalog import parse_catalog
from services.llm_proxy.providers.base import Usage
from services.llm_proxy.providers.dashscope_native import usage_of as dashscope_usage
from services.llm_proxy.providers.openai_chunk import usage_of as openai_usage
from services.llm_proxy.target import Target
from tests.llm_proxy.conftest import Gateway

pytestmark = pytest.mark.process

FILE = """
usd_per: {CNY: 0.5}
providers:
  vendor:
    adapter: openai_compatible
    base_url: http://127.0.0.1:9
    models:
      plain: {price: {input: 10, output: 20}}
      cached: {price: {input: 10, output: 20, cached_input: 1}}
      thinking: {price: {input: 10, output: 20, cached_input: 1, reasoning: 40}}
      written: {price: {input: 10, output: 20, cached_input: 1, cache_write: 12.5}}
      yuan: {price: {currency: CNY, input: 10, output: 20}}
      free: {price: {input: 0, output: 0}}
      unknown:
"""


def target(model: str) -> Target:
    return parse_catalog(FILE, {}, "test").resolve(f"vendor/{model}")


@pytest.mark.parametrize(
    ("model", "usage", "micro_usd"),
    [
        ("plain", Usage(100, 10), 1200),
        ("plain", Usage(100, 10, 60, 4), 1200),
        ("cached", Usage(100, 10, 60, 4), 660),
        ("thinking", Usage(100, 10, 60, 4), 740),
        ("thinking", Usage(100, 10, 500, 50), 500),
        ("written", Usage(100, 10, 60, 0, 20), 710),
        ("plain", Usage(100, 10, 60, 0, 20), 1200),
        ("yuan", Usage(100, 10), 600),
        ("free", Usage(100, 10), 0),
        ("unknown", Usage(100, 10), None),
    ],
)
def test_a_call_costs_what_the_table_says(model: str, usage: Usage, micro_usd: int | None) -> None:
    cost = target(model).cost_usd(usage)
    assert cost == (None if micro_usd is None else pytest.approx(micro_usd / 1e6))


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 3}, Usage(9, 3)),
        ({"prompt_tokens": 9}, Usage(9, 0)),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 3,
                "prompt_tokens_details": {"cached_tokens": 4, "cache_creation_input_tokens": 3},
                "completion_tokens_details": {"reasoning_tokens": 2},
            },
            Usage(9, 3, 4, 2, 3),
        ),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 3,
                "prompt_tokens_details": None,
                "completion_tokens_details": {"reasoning_tokens": None},
            },
            Usage(9, 3),
        ),
        ({"prompt_tokens": -1, "completion_tokens": 3}, None),
        ({"prompt_tokens": "9"}, None),
        (None, None),
    ],
)
def test_openais_usage(told: Any, usage: Usage | None) -> None:
    assert openai_usage(told) == usage


DETAILS = {
    "prompt_tokens_details": {"cached_tokens": 4},
    "output_tokens_details": {"reasoning_tokens": 2},
}


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({"input_tokens": 9, "output_tokens": 3}, Usage(9, 3)),
        ({"input_tokens": 9, "output_tokens": 3, **DETAILS}, Usage(9, 3, 4, 2)),
        (
            {"models": [{"input_tokens": 9, "output_tokens": 3}, {"input_tokens": 1, **DETAILS}]},
            Usage(10, 3, 4, 2),
        ),
        ({"models": []}, None),
        ({}, None),
    ],
)
def test_dashscopes_usage(told: Any, usage: Usage | None) -> None:
    assert dashscope_usage(told) == usage


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/api/llm/dashscope/apps/words/completion", None),
        ("/api/llm/dashscope", None),
        ("/api/llm/dashscope/services/aigc/text-generation/generation", "words"),
    ],
)
def test_dashscopes_own_shapes_have_their_price_too(
    gateway: Gateway, path: str, model: str | None, stream: bool
) -> None:
    headers = {"X-DashScope-SSE": "enable"} if stream else {}
    body = {"input": {"prompt": "How are you?"}, **({"model": model} if model else {})}
    answer = gateway.post(path, body, headers=headers)
    assert answer.status_code == 200
    attributes = gateway.neighbours.event_of(answer.headers["x-request-id"])["attributes"]
    assert attributes["trivet.usage_source"] == "exact"
    assert attributes["trivet.cost_usd"] == pytest.approx((9 * 5 + 3 * 7) / 1e6)


def test_a_picture_is_not_counted_by_its_bytes(gateway: Gateway) -> None:
    """Nor does a caller pay for the megabytes of one when the vendor tells no usage."""
    picture = {"url": "data:image/png;base64," + "A" * 400_000}
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": picture},
    ]
    body = {
        "model": "openai/words:usage=none",
        "messages": [{"role": "user", "content": content}],
        "stream": True,
    }
    answer = gateway.post("/v1/chat/completions", body)
    attributes = gateway.neighbours.event_of(answer.headers["x-request-id"])["attributes"]
    assert attributes["trivet.usage_source"] == "estimated"
    assert 500 <= attributes["gen_ai.usage.input_tokens"] <= 2000
