"""An application's key: what it may do, how much, how long."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.llm_proxy.conftest import Gateway, Start
from tests.llm_proxy.keys.making import admin, call, error_of, make_key
from tests.support.wait import until

pytestmark = pytest.mark.process


def test_a_secret_is_shown_once_and_kept_nowhere(gateway: Gateway) -> None:
    made = make_key(gateway, name="shop", models=["openai/words"])
    secret = made["key"]
    assert secret.startswith("sk_")
    assert len(secret) >= 40
    assert call(gateway, secret).status_code == 200
    with gateway.client(headers=admin(gateway)) as client:
        listed = client.get("/api/llm/keys").text
        shown = client.get(f"/api/llm/keys/{made['id']}")
    assert secret not in listed + shown.text
    assert shown.json()["hint"] == f"{secret[:6]}…{secret[-4:]}"
    stored = b"".join(path.read_bytes() for path in (gateway.folder / "data").glob("llm_proxy.db*"))
    assert secret.encode() not in stored


def test_only_the_administrator_sees_keys(gateway: Gateway) -> None:
    application = {"Authorization": f"Bearer {make_key(gateway)['key']}"}
    with gateway.client() as client:
        assert client.get("/api/llm/keys").status_code == 401
        assert client.get("/api/llm/keys", headers=application).status_code == 403
        assert client.post("/api/llm/keys", json={}, headers=application).status_code == 403
        assert client.get("/api/llm/providers", headers=application).status_code == 403


@pytest.mark.parametrize(
    ("models", "model", "status"),
    [
        ([], "doubao/words", 200),
        (["openai/words"], "openai/words", 200),
        (["openai/words"], "short", 200),
        (["short"], "short", 200),
        (["openai/*"], "openai/words:count=2", 200),
        (["openai/words"], "openai/words:count=2", 403),
        (["openai/*"], "doubao/words", 403),
        (["assistant/site"], "openai/words", 403),
        (["openai/*"], "assistant/site", 403),
        (["assistant/site"], "assistant/site", 200),
    ],
)
def test_a_key_reaches_its_models_alone(
    gateway: Gateway, models: list[str], model: str, status: int
) -> None:
    response = call(gateway, make_key(gateway, models=models)["key"], model)
    assert response.status_code == status
    if status == 403:
        assert response.json()["error"]["type"] == "permission_error"
        assert response.json()["error"]["param"] == "model"


def test_the_other_ways_to_a_model_are_as_narrow(gateway: Gateway) -> None:
    headers = {"Authorization": f"Bearer {make_key(gateway, models=['deepseek/*'])['key']}"}
    native: dict[str, Any] = {"input": {"prompt": "x"}}
    chat: dict[str, Any] = {"messages": [{"role": "user", "content": "x"}]}
    for path, body in (
        ("/api/llm/openai", chat),
        ("/api/llm/dashscope", native),
        ("/api/llm/dashscope/apps/words/completion", native),
        ("/v1/embeddings", {"input": "x"}),
    ):
        assert gateway.post(path, body, headers=headers).status_code == 403, path
    assert gateway.post("/api/llm/deepseek", chat, headers=headers).status_code == 200


def test_a_key_is_told_of_its_models_alone(gateway: Gateway) -> None:
    key = make_key(gateway, models=["openai/*", "assistant/site"])["key"]
    with gateway.client(headers={"x-api-key": key}) as client:
        listed = [item["id"] for item in client.get("/v1/models").json()["data"]]
    assert "openai/words" in listed
    assert listed[-1] == "assistant/site"
    assert all(name.startswith("openai/") for name in listed[:-1])


def test_calls_a_minute_are_limited_and_the_answer_says_how_many_are_left(
    gateway: Gateway,
) -> None:
    key = make_key(gateway, requests_per_minute=2)["key"]
    first, second, third = (call(gateway, key) for _ in range(3))
    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert first.headers["x-ratelimit-remaining-requests"] == "1"
    assert 60 <= int(first.headers["x-ratelimit-reset-requests"]) <= 62
    assert second.headers["x-ratelimit-remaining-requests"] == "0"
    assert error_of(third)[:2] == (429, "rate_limit_error")
    assert 1 <= int(third.headers["retry-after"]) <= 62
    assert third.headers["x-ratelimit-remaining-requests"] == "0"
    assert "x-ratelimit-limit-tokens" not in first.headers


def test_tokens_a_minute_are_charged_as_used(gateway: Gateway) -> None:
    key = make_key(gateway, tokens_per_minute=1000)["key"]
    first = call(gateway, key, max_tokens=900)
    assert int(first.headers["x-ratelimit-remaining-tokens"]) < 100
    second = call(gateway, key, max_tokens=900, stream=True)  # the first one used twelve
    assert second.status_code == 200
    third = call(gateway, key, max_tokens=990)
    assert error_of(third) == (
        429,
        "rate_limit_error",
        "More than 1000 tokens a minute were asked for by this key.",
    )


def test_calls_that_run_at_once_are_limited_and_leave_their_places(gateway: Gateway) -> None:
    key = make_key(gateway, concurrent=1)["key"]
    headers = {"Authorization": f"Bearer {key}"}
    body = {"model": "openai/words:count=500:delay_ms=20", "stream": True}
    messages = {"messages": [{"role": "user", "content": "x"}]}
    with gateway.client(headers=headers) as client:
        with client.stream("POST", "/v1/chat/completions", json={**body, **messages}) as stream:
            pieces = stream.iter_bytes()  # while it is held the stream goes on
            next(pieces)
            refused = call(gateway, key)
            assert error_of(refused)[:2] == (429, "rate_limit_error")
            assert "run already" in error_of(refused)[2]
        until(lambda: call(gateway, key).status_code == 200, 5, "the place is free again")


def test_a_budget_ends_with_a_clear_word(gateway: Gateway) -> None:
    key = make_key(gateway, daily_budget_usd=0.00002, monthly_budget_usd=5)["key"]
    assert call(gateway, key).status_code == 200  # 9 tokens at 1 and 3 at 2 USD a million
    assert call(gateway, key, stream=True).status_code == 200
    refused = call(gateway, key)
    status, kind, message = error_of(refused)
    assert (status, kind) == (429, "rate_limit_error")
    assert "budget of this key, 2e-05 USD, is used up today" in message
    assert refused.json()["error"]["param"] == "budget"
    assert 1 <= int(refused.headers["retry-after"]) <= 86400


@pytest.mark.parametrize("model", ["deepseek/words", "assistant/english"])
def test_a_budget_needs_a_price(gateway: Gateway, model: str) -> None:
    key = make_key(gateway, monthly_budget_usd=5)["key"]
    assert error_of(call(gateway, key, model))[:2] == (403, "permission_error")


def test_what_was_spent_is_listed(gateway: Gateway) -> None:
    made = make_key(gateway, name="spender")
    call(gateway, made["key"])
    call(gateway, made["key"], stream=True)
    with gateway.client(headers=admin(gateway)) as client:
        item = client.get(f"/api/llm/keys/{made['id']}").json()
    assert item["spent_today_usd"] == pytest.approx(2 * 15e-6)
    assert item["spent_this_month_usd"] == pytest.approx(2 * 15e-6)
    assert item["last_used_at"].endswith("Z")


def test_embeddings_are_paid_for_too(gateway: Gateway) -> None:
    made = make_key(gateway)
    headers = {"Authorization": f"Bearer {made['key']}"}
    body = {"model": "openai/vectors", "input": ["one", "two"]}
    answer = gateway.post("/v1/embeddings", body, headers=headers)
    tokens = answer.json()["usage"]["prompt_tokens"]
    with gateway.client(headers=admin(gateway)) as client:
        item = client.get(f"/api/llm/keys/{made['id']}").json()
    assert item["spent_today_usd"] == pytest.approx(tokens * 3e-6)


def test_an_expired_key_is_no_longer_known(gateway: Gateway) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.5)
    key = make_key(gateway, expires_at=soon.isoformat())["key"]
    until(lambda: call(gateway, key).status_code == 401, 5, "the key expires")
    assert error_of(call(gateway, key))[2] == "The key has expired."


def test_a_revoked_key_is_refused_and_stays_listed(gateway: Gateway) -> None:
    made = make_key(gateway)
    path = f"/api/llm/keys/{made['id']}"
    with gateway.client(headers=admin(gateway)) as client:
        assert client.delete(path).status_code == 204
        assert client.get(path).json()["revoked_at"]
        assert client.delete(path).status_code == 204
        assert client.patch(path, json={"name": "x"}).status_code == 409
        assert client.post(f"{path}/rotate", json={}).status_code == 409
    expected = (401, "authentication_error", "The key has been revoked.")
    assert error_of(call(gateway, made["key"])) == expected


def test_a_new_secret_takes_the_place_of_the_old_one(gateway: Gateway) -> None:
    made = make_key(gateway, requests_per_minute=100)
    path = f"/api/llm/keys/{made['id']}/rotate"
    with gateway.client(headers=admin(gateway)) as client:
        rotated = client.post(path, json={}).json()
    assert rotated["id"] == made["id"]
    assert rotated["requests_per_minute"] == 100
    assert call(gateway, rotated["key"]).status_code == 200
    assert call(gateway, made["key"]).status_code == 401


def test_an_old_secret_works_for_as_long_as_it_was_given(gateway: Gateway) -> None:
    made = make_key(gateway)
    path = f"/api/llm/keys/{made['id']}/rotate"
    with gateway.client(headers=admin(gateway)) as client:
        rotated = client.post(path, json={"grace_seconds": 1}).json()
    assert rotated["old_secret_until"]
    assert call(gateway, made["key"]).status_code == 200
    until(lambda: call(gateway, made["key"]).status_code == 401, 10, "the grace ends")
    assert call(gateway, rotated["key"]).status_code == 200


def test_limits_change_at_once(gateway: Gateway) -> None:
    made = make_key(gateway, requests_per_minute=1)
    assert [call(gateway, made["key"]).status_code for _ in range(2)] == [200, 429]
    with gateway.client(headers=admin(gateway)) as client:
        path = f"/api/llm/keys/{made['id']}"
        changed = client.patch(path, json={"requests_per_minute": None, "name": "wide"}).json()
        assert client.patch(path, json={"origins": ["https://a.example"]}).status_code == 422
    assert (changed["requests_per_minute"], changed["name"]) == (None, "wide")
    assert call(gateway, made["key"]).status_code == 200


SITE = {"name": "x", "kind": "publishable", "assistant": "site"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x", "requests_per_minute": 0}, "requests_per_minute"),
        ({"name": "x", "daily_budget_usd": -1}, "daily_budget_usd"),
        ({"name": "x", "expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        ({"name": "x", "expires_at": "0001-01-01T00:00:00+10:00"}, "expires_at"),
        ({"name": "x", "rpm": 5}, "rpm"),
        ({"name": "x", "origins": ["https://a.example"]}, None),
        ({**SITE}, None),
        ({**SITE, "origins": ["*"]}, "origins.0"),
        ({**SITE, "origins": ["https://a.example/"]}, "origins.0"),
        ({"name": "x", "kind": "provider", "provider": "openai"}, None),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(
    gateway: Gateway, body: dict[str, Any], param: str | None
) -> None:
    response = gateway.post("/api/llm/keys", body, headers=admin(gateway))
    assert response.status_code == 422, response.text
    assert response.json()["error"].get("param") == param


def test_a_key_that_is_not_there_is_not_found(gateway: Gateway) -> None:
    with gateway.client(headers=admin(gateway)) as client:
        path = "/api/llm/keys/key_nobody"
        assert client.get(path).status_code == 404
        assert client.patch(path, json={}).status_code == 404
        assert client.post(f"{path}/rotate", json={}).status_code == 404
        assert client.delete(path).status_code == 404


def test_an_application_may_use_what_strangers_may_not(start: Start) -> None:
    with start(LLM_PROXY_ANONYMOUS="off") as gateway:
        key = make_key(gateway)["key"]
        assert call(gateway, key).status_code == 200
        assert call(gateway, "anonymous").status_code == 401
