"""Conversations that an application keeps itself, under the caller's own name for them."""

from typing import Any

import pytest

from tests.llm_proxy.conftest import Gateway, Start, chat_body

pytestmark = pytest.mark.process

NAMED = {"X-Session-ID": "conversation-1"}


def ask(gateway: Gateway, model: str = "dashscope/app", **more: Any) -> dict[str, Any]:
    """What the vendor is sent as `input`."""
    headers = more.pop("headers", NAMED)
    body = {**chat_body(model), **more}
    assert gateway.post("/v1/chat/completions", body, headers=headers).status_code == 200
    sent: dict[str, Any] = gateway.vendor.requests[-1].body["input"]
    return sent


def test_a_session_goes_on_under_the_callers_own_name(start: Start) -> None:
    with start() as gateway:
        assert "session_id" not in ask(gateway)
        assert ask(gateway)["session_id"] == "vendor-session"
        assert ask(gateway, stream=True)["session_id"] == "vendor-session"
        other = {"X-Session-ID": "conversation-2"}
        assert "session_id" not in ask(gateway, headers=other, stream=True)
        assert ask(gateway, headers=other)["session_id"] == "vendor-session"


def test_it_belongs_to_one_caller_and_one_application(start: Start) -> None:
    with start() as gateway:
        ask(gateway)
        admin = {**NAMED, "Authorization": f"Bearer {gateway.admin_token}"}
        assert "session_id" not in ask(gateway, headers=admin)
        assert "session_id" not in ask(gateway, headers={**NAMED, "User-Agent": "another"})
        assert "session_id" not in ask(gateway, "dashscope/sources")
        assert "session_id" not in ask(gateway, headers={})


def test_a_history_that_is_sent_or_a_session_that_is_named_comes_first(start: Start) -> None:
    with start() as gateway:
        ask(gateway)
        history = [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "And?"},
        ]
        assert ask(gateway, messages=history) == {"messages": history}
        assert ask(gateway, session_id="chosen")["session_id"] == "chosen"


def test_a_second_instance_knows_it_too(start: Start) -> None:
    with start() as gateway:
        ask(gateway)
    with start() as gateway:  # on the same data
        assert ask(gateway)["session_id"] == "vendor-session"


def test_a_session_is_forgotten_when_the_vendor_has_forgotten_it(start: Start) -> None:
    with start() as gateway:
        ask(gateway)
    with start() as gateway:  # so that all is written down
        sessions = gateway.app.state.app_sessions
        now = sessions.clock()
        sessions.clock = lambda: now + 3601
        assert "session_id" not in ask(gateway)


def test_a_file_that_cannot_be_used_costs_the_memory_alone(start: Start) -> None:
    with start() as gateway:
        path = gateway.folder / "data" / "app_sessions.db"
        path.write_bytes(b"this is no database" * 100)
        assert "session_id" not in ask(gateway)
    with start() as gateway:
        assert "session_id" not in ask(gateway)
