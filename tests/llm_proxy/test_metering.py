"""Every chat is one event, whatever became of it, with tokens, cost and the reason of its end."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.analytics.intake import take_in
from tests.llm_proxy.conftest import Gateway, chat_body
from tests.llm_proxy.keys.making import call, make_key
from tests.support.wait import until

pytestmark = pytest.mark.process

NATIVE_EMBEDDINGS = "/api/llm/dashscope/services/embeddings/text-embedding/text-embedding"


def attributes_of(gateway: Gateway, model: str | None, **more: Any) -> dict[str, Any]:
    headers = {"X-Session-ID": "conversation-1"}
    response = gateway.post("/v1/chat/completions", chat_body(model, **more), headers=headers)
    event = gateway.neighbours.event_of(response.headers["x-request-id"])
    assert event["kind"] == "chat"
    assert event["service"] == "llm_proxy"
    assert event["session_id"] == "conversation-1"
    assert event["visitor_id"]
    attributes: dict[str, Any] = event["attributes"]
    return attributes


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("model", "cost"),
    [
        ("openai/words", (9 * 1 + 3 * 2) / 1e6),
        ("doubao/words", (9 * 2 + 3 * 4) / 1e6 * 0.5),
        ("dashscope/app", (9 * 5 + 3 * 7) / 1e6),
        ("deepseek/words:usage=last", None),
    ],
)
def test_a_good_chat_is_counted_exactly(
    gateway: Gateway, model: str, cost: float | None, stream: bool
) -> None:
    attributes = attributes_of(gateway, model, stream=stream)
    provider, _, name = model.partition("/")
    assert attributes["gen_ai.operation.name"] == "chat"
    assert attributes["gen_ai.provider.name"] == provider
    assert attributes["gen_ai.request.model"] == name
    assert attributes["gen_ai.request.stream"] is stream
    assert attributes["gen_ai.usage.input_tokens"] == 9
    assert attributes["gen_ai.usage.output_tokens"] == 3
    assert attributes["gen_ai.response.finish_reasons"] == ["stop"]
    assert attributes["trivet.usage_source"] == "exact"
    assert attributes["trivet.end_reason"] == "complete"
    assert attributes["http.response.status_code"] == 200
    assert attributes["trivet.question"] == "How are you?"
    assert 0 < attributes["gen_ai.response.time_to_first_chunk"] <= 60
    assert attributes["trivet.duration_seconds"] > 0
    assert "error.type" not in attributes
    assert attributes.get("trivet.cost_usd") == (pytest.approx(cost) if cost else None)


def test_without_usage_from_the_vendor_tokens_are_estimated_and_marked_so(
    gateway: Gateway,
) -> None:
    attributes = attributes_of(gateway, "openai/words:count=40:usage=none", stream=True)
    assert attributes["trivet.usage_source"] == "estimated"
    assert 30 <= attributes["gen_ai.usage.output_tokens"] <= 50
    assert attributes["gen_ai.usage.input_tokens"] > 0


@pytest.mark.parametrize(
    ("model", "more", "error", "end", "source", "status"),
    [
        ("nobody/x", {}, "not_found_error", "refused", "none", 404),
        ("keyless/words", {}, "not_found_error", "refused", "none", 404),
        ("openai/words", {"temperature": "x"}, "invalid_request_error", "refused", "none", 422),
        ("away/words", {}, "proxy_error", "error", "none", 502),
        ("openai/fail:code=server_error", {}, "proxy_error", "error", "none", 502),
        ("openai/fail:code=rate_limit_exceeded", {}, "rate_limit_error", "error", "none", 429),
        ("openai/silent", {"stream": True}, "timeout_error", "error", "none", 504),
        ("openai/cut:after=3", {"stream": True}, "proxy_error", "truncated", "partial", 200),
        ("openai/truncated:after=3", {"stream": True}, "proxy_error", "truncated", "partial", 200),
        ("openai/stall:after=3", {"stream": True}, "timeout_error", "error", "partial", 200),
        ("openai/error_event:after=3", {"stream": True}, "proxy_error", "error", "partial", 200),
        ("dashscope/truncated:after=3", {"stream": True}, "proxy_error", "truncated", "exact", 200),
    ],
)
def test_a_refused_or_failed_chat_is_an_event_too(
    gateway: Gateway,
    model: str,
    more: dict[str, Any],
    error: str,
    end: str,
    source: str,
    status: int,
) -> None:
    attributes = attributes_of(gateway, model, **more)
    assert attributes["error.type"] == error
    assert attributes["trivet.end_reason"] == end
    assert attributes["trivet.usage_source"] == source
    assert attributes["http.response.status_code"] == status


def test_a_body_that_is_no_json_is_an_event_too(gateway: Gateway) -> None:
    response = gateway.post("/v1/chat/completions", b"{")
    event = gateway.neighbours.event_of(response.headers["x-request-id"])
    assert event["attributes"]["error.type"] == "invalid_request_error"


def test_a_long_question_is_shortened(gateway: Gateway) -> None:
    body = chat_body("openai/words", "長" * 5000)
    response = gateway.post("/v1/chat/completions", body)
    event = gateway.neighbours.event_of(response.headers["x-request-id"])
    assert event["attributes"]["trivet.question"] == "長" * 2000


def test_metrics_count_chats_tokens_and_cost(gateway: Gateway) -> None:
    gateway.chat("openai/words")
    gateway.chat("openai/words:count=2")
    with gateway.client() as client:

        def counted() -> str:
            text = client.get("/metrics").text
            return text if 'model="other",provider="openai"' in text else ""

        text = until(counted, 5, "the chats are counted")
    assert 'trivet_llm_chats_total{end="complete",model="words",provider="openai"}' in text
    assert 'model="words:count=2"' not in text
    assert 'trivet_llm_tokens_total{direction="output",model="words",provider="openai"}' in text
    assert "trivet_llm_first_output_seconds_bucket" in text
    assert "trivet_llm_running 0.0" in text


def test_embeddings_are_counted_apart_from_chats(gateway: Gateway) -> None:
    body = {"model": "openai/vectors", "input": "one"}
    admin = {"Authorization": f"Bearer {gateway.admin_token}"}
    assert gateway.post("/v1/embeddings", body, headers=admin).status_code == 200
    with gateway.client() as client:

        def counted() -> dict[str, str]:
            lines = client.get("/metrics").text.splitlines()
            found = dict(line.rsplit(" ", 1) for line in lines if line.startswith("trivet_llm_"))
            return found if any("_embeddings_total" in name for name in found) else {}

        found = until(counted, 5, "the embeddings are counted")
    model = 'model="vectors",provider="openai"'
    assert float(found[f'trivet_llm_embeddings_total{{end="complete",{model}}}']) >= 1
    assert not any(name.startswith("trivet_llm_chats_total") and model in name for name in found)
    assert float(found[f"trivet_llm_duration_seconds_count{{{model}}}"]) == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/embeddings", {"model": "openai/vectors", "input": ["one", "two"]}),
        (NATIVE_EMBEDDINGS, {"model": "words", "input": {"texts": ["one", "two"]}}),
    ],
)
def test_a_call_for_embeddings_is_an_event_of_its_own_kind(
    gateway: Gateway, path: str, body: dict[str, Any]
) -> None:
    made = make_key(gateway)
    response = gateway.post(path, body, headers={"x-api-key": made["key"]})
    assert response.status_code == 200
    event = gateway.neighbours.event_of(response.headers["x-request-id"])
    attributes = event["attributes"]
    assert event["kind"] == "embedding"
    assert attributes["gen_ai.operation.name"] == "embeddings"
    assert attributes["gen_ai.usage.input_tokens"] > 0
    assert attributes["gen_ai.usage.output_tokens"] == 0
    assert attributes["trivet.usage_source"] == "exact"
    assert attributes["trivet.end_reason"] == "complete"
    assert attributes["trivet.cost_usd"] > 0
    assert attributes["trivet.key_id"] == made["id"]
    assert "trivet.question" not in attributes
    assert_taken(event)


def test_embeddings_that_are_refused_are_events_too(gateway: Gateway) -> None:
    response = gateway.post("/v1/embeddings", {"input": "x"})
    assert response.status_code == 401
    event = gateway.neighbours.event_of(response.headers["x-request-id"])
    assert event["kind"] == "embedding"
    assert event["attributes"]["trivet.end_reason"] == "refused"
    assert_taken(event)


def test_a_chat_names_the_key_that_pays_for_it(gateway: Gateway) -> None:
    made = make_key(gateway)
    response = call(gateway, made["key"])
    event = gateway.neighbours.event_of(response.headers["x-request-id"])
    assert event["attributes"]["trivet.key_id"] == made["id"]
    assert "trivet.key_id" not in attributes_of(gateway, "openai/words")
    assert_taken(event)


def test_a_wrong_method_is_no_call(gateway: Gateway) -> None:
    with gateway.client() as client:
        refused = client.get("/v1/chat/completions")
    assert refused.status_code == 405
    answered = gateway.chat("openai/words")
    gateway.neighbours.event_of(answered.headers["x-request-id"])
    ids = [event["request_id"] for event in gateway.neighbours.events]
    assert refused.headers["x-request-id"] not in ids


def assert_taken(event: dict[str, Any]) -> None:
    """What the stand-in got, the real analytics takes."""
    taken = take_in([event], store_questions=True, now=datetime.now(UTC))
    assert (len(taken.records), taken.rejected) == (1, [])


def test_a_step_of_a_workflow_is_no_question_and_a_visitor_cannot_hide_one(
    gateway: Gateway,
) -> None:
    key = make_key(gateway)["key"]
    cause = {"X-Trivet-Cause": "workflow"}
    body = chat_body("openai/words")
    step = gateway.post("/v1/chat/completions", body, headers={**cause, "X-API-Key": key})
    asked = gateway.post("/v1/chat/completions", body, headers=cause)
    told, typed = (
        gateway.neighbours.event_of(answer.headers["x-request-id"])["attributes"]
        for answer in (step, asked)
    )
    assert told["trivet.cause"] == "workflow" and "trivet.question" not in told
    assert told["gen_ai.usage.output_tokens"] == 3
    assert "trivet.cause" not in typed and typed["trivet.question"] == "How are you?"
