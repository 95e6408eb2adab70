"""What was answered reaches analytics where a setting says so, and nowhere else."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.llm_proxy.answer_tap import said_in
from tests.llm_proxy.conftest import Gateway, Start, text_of

PASSAGE = {"id": "41", "title": "Back up", "content": "Copy data/.", "source": "backup.md"}


def attributes(gateway: Gateway, response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    event = gateway.neighbours.event_of(response.headers["x-request-id"])
    told: dict[str, Any] = event["attributes"]
    return told


def test_no_answer_is_told_of_by_default(gateway: Gateway) -> None:
    response = gateway.chat("openai/words", stream=True)
    assert "trivet.answer" not in attributes(gateway, response)


def test_what_the_caller_was_sent_is_told_of_where_answers_are_kept(start: Start) -> None:
    with start(TRIVET_STORE_ANSWERS="true") as gateway:
        streamed = gateway.chat("openai/words", stream=True)
        assert text_of(streamed) != ""
        assert attributes(gateway, streamed)["trivet.answer"] == text_of(streamed)
        whole = gateway.chat("openai/words")
        said = whole.json()["choices"][0]["message"]["content"]
        assert attributes(gateway, whole)["trivet.answer"] == said
        nothing = gateway.chat("assistant/site")
        said = nothing.json()["choices"][0]["message"]["content"]
        assert attributes(gateway, nothing)["trivet.answer"] == said
        native = gateway.post("/api/llm/dashscope", {"input": {"prompt": "How?"}})
        assert attributes(gateway, native)["trivet.answer"] == native.json()["output"]["text"]


def test_a_long_answer_is_cut(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.llm_proxy.answer_tap.MAX_CHARACTERS", 5)
    with start(TRIVET_STORE_ANSWERS="true") as gateway:
        response = gateway.chat("openai/words", stream=True)
        assert attributes(gateway, response)["trivet.answer"] == text_of(response)[:5]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"choices": [{"index": 0, "delta": {"content": "a"}}]}, "a"),
        ({"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]}, ""),
        ({"choices": [{"index": 1, "delta": {"content": "b"}}]}, ""),
        ({"choices": [{"message": {"content": [{"type": "text", "text": "c"}]}}]}, "c"),
        ({"output": {"text": "d"}}, "d"),
        ({"output": {"choices": [{"message": {"content": "e"}}]}}, "e"),
        ({"choices": [], "usage": {}}, ""),
        ({"error": {"message": "no"}}, ""),
        ({"choices": [None]}, ""),
    ],
)
def test_the_text_of_an_answer_is_found_in_every_shape(value: dict[str, Any], said: str) -> None:
    assert said_in(value) == said
