"""How much of a key's limits is used right now."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.llm_proxy.conftest import Gateway
from tests.llm_proxy.keys.making import admin, call, make_key
from tests.support.wait import until

pytestmark = pytest.mark.process


def usage(gateway: Gateway, key: dict[str, Any]) -> dict[str, Any]:
    with gateway.client(headers=admin(gateway)) as client:
        response = client.get(f"/api/llm/keys/{key['id']}/usage")
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


def test_calls_tokens_and_what_runs_are_told(gateway: Gateway) -> None:
    key = make_key(gateway, tokens_per_minute=100_000, concurrent=2)
    assert usage(gateway, key) == {
        "requests_last_minute": 0,
        "tokens_last_minute": 0,
        "running": 0,
    }
    assert call(gateway, key["key"]).status_code == 200
    told = usage(gateway, key)
    assert (told["requests_last_minute"], told["running"]) == (1, 0)
    assert told["tokens_last_minute"] > 0
    slow = threading.Thread(target=call, args=(gateway, key["key"], "openai/silent"))
    slow.start()
    until(lambda: usage(gateway, key)["running"] == 1, 5, "the call runs")
    slow.join()
    assert usage(gateway, key)["running"] == 0


def test_what_no_limit_counts_is_null(gateway: Gateway) -> None:
    key = make_key(gateway)
    assert call(gateway, key["key"]).status_code == 200
    assert usage(gateway, key) == {
        "requests_last_minute": 1,
        "tokens_last_minute": None,
        "running": None,
    }


def test_an_unknown_key_is_404_and_an_application_may_not_ask(gateway: Gateway) -> None:
    key = make_key(gateway)
    with gateway.client(headers=admin(gateway)) as client:
        assert client.get("/api/llm/keys/nobody/usage").status_code == 404
    with gateway.client(headers={"Authorization": f"Bearer {key['key']}"}) as client:
        assert client.get(f"/api/llm/keys/{key['id']}/usage").status_code == 403
