"""Publishable keys: safe in a page, since they are of use on its own site alone."""

from typing import Any

import pytest

from tests.llm_proxy.conftest import Gateway, Start, chat_body
from tests.llm_proxy.keys.making import admin, call, error_of, make_key, publishable

pytestmark = pytest.mark.process

SHOP, OTHER = "https://shop.example", "https://other.example"


def token_of(gateway: Gateway, key: str, origin: str = SHOP, **body: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key}", "Origin": origin}
    response = gateway.post("/api/llm/keys/visitor", body, headers=headers)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_a_page_of_its_origin_may_talk_with_its_assistant(gateway: Gateway) -> None:
    key = publishable(gateway)["key"]
    assert key.startswith("pk_")
    assert call(gateway, key, "assistant/site", SHOP).status_code == 200


@pytest.mark.parametrize("origin", [OTHER, "", "null", "https://shop.example.evil.example"])
def test_elsewhere_the_key_is_of_no_use(gateway: Gateway, origin: str) -> None:
    key = publishable(gateway)["key"]
    assert error_of(call(gateway, key, "assistant/site", origin))[:2] == (403, "permission_error")


@pytest.mark.parametrize("model", ["openai/words", "assistant/english", "short"])
def test_nothing_but_its_assistant_is_reached(gateway: Gateway, model: str) -> None:
    key = publishable(gateway)["key"]
    for credential in (key, token_of(gateway, key)["token"]):
        refused = call(gateway, credential, model, SHOP)
        assert error_of(refused)[:2] == (403, "permission_error")
        assert refused.json()["error"]["param"] == "model"


def test_native_bodies_and_embeddings_are_out_of_reach(gateway: Gateway) -> None:
    headers = {"Authorization": f"Bearer {publishable(gateway)['key']}", "Origin": SHOP}
    native = {"input": {"prompt": "x"}}
    assert gateway.post("/api/llm/dashscope", native, headers=headers).status_code == 403
    assert gateway.post("/v1/embeddings", {"input": "x"}, headers=headers).status_code == 401


def test_only_the_assistant_is_listed(gateway: Gateway) -> None:
    headers = {"Authorization": f"Bearer {publishable(gateway)['key']}", "Origin": SHOP}
    with gateway.client(headers=headers) as client:
        listed = [item["id"] for item in client.get("/v1/models").json()["data"]]
    assert listed == ["assistant/site"]


def test_a_visitors_token_is_bound_to_the_origin(gateway: Gateway) -> None:
    made = token_of(gateway, publishable(gateway)["key"])
    assert made["expires_in_seconds"] == 900
    assert made["assistant"] == "site"
    token = made["token"]
    assert call(gateway, token, "assistant/site", SHOP).status_code == 200
    assert call(gateway, token, "assistant/site", OTHER).status_code == 403
    assert call(gateway, token + "x", "assistant/site", SHOP).status_code == 401
    assert call(gateway, "vt_nonsense", "assistant/site", SHOP).status_code == 401


def test_a_token_is_got_for_a_publishable_key_alone(gateway: Gateway) -> None:
    token = token_of(gateway, publishable(gateway)["key"])["token"]
    for credential in (make_key(gateway)["key"], gateway.admin_token, "anonymous", token):
        headers = {"Authorization": f"Bearer {credential}", "Origin": SHOP}
        response = gateway.post("/api/llm/keys/visitor", {}, headers=headers)
        assert error_of(response)[:2] == (403, "permission_error")


def test_each_visitor_has_a_limit_of_its_own(gateway: Gateway) -> None:
    key = publishable(gateway, visitor_requests_per_minute=1)["key"]
    first, second = token_of(gateway, key)["token"], token_of(gateway, key)["token"]
    assert call(gateway, first, "assistant/site", SHOP).status_code == 200
    refused = call(gateway, first, "assistant/site", SHOP)
    assert error_of(refused)[2] == "More than 1 chats a minute came from this visitor."
    assert call(gateway, second, "assistant/site", SHOP).status_code == 200


def test_a_visitor_who_comes_back_is_the_same_visitor(gateway: Gateway) -> None:
    key = publishable(gateway, visitor_requests_per_minute=1)["key"]
    old = token_of(gateway, key)["token"]
    assert call(gateway, old, "assistant/site", SHOP).status_code == 200
    new = token_of(gateway, key, token=old)["token"]
    assert call(gateway, new, "assistant/site", SHOP).status_code == 429


def test_events_tell_visitors_of_one_address_apart(gateway: Gateway) -> None:
    key = publishable(gateway)["key"]
    first, second = token_of(gateway, key)["token"], token_of(gateway, key)["token"]
    renewed = token_of(gateway, key, token=first)["token"]
    ids = [visitor_of(gateway, token) for token in (first, second, renewed)]
    assert ids[0] == ids[2] != ids[1]


def visitor_of(gateway: Gateway, token: str) -> str:
    """Who asked, by the event of a chat."""
    response = call(gateway, token, "assistant/site", SHOP)
    event = gateway.neighbours.event_of(response.headers["x-request-id"])
    return str(event["visitor_id"])


def test_the_keys_own_limit_holds_for_all_visitors_together(gateway: Gateway) -> None:
    key = publishable(gateway, requests_per_minute=2)["key"]
    tokens = [token_of(gateway, key)["token"] for _ in range(3)]
    answers = [call(gateway, token, "assistant/site", SHOP) for token in tokens]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert error_of(answers[2])[2] == "More than 2 chats a minute came from this key."


def test_one_address_cannot_be_many_visitors(start: Start) -> None:
    with start(LLM_PROXY_ANONYMOUS_CHATS_PER_MINUTE="2", LLM_PROXY_ANONYMOUS="off") as gateway:
        key = publishable(gateway)["key"]
        tokens = [token_of(gateway, key)["token"] for _ in range(3)]
        answers = [call(gateway, token, "assistant/site", SHOP) for token in tokens]
        assert [answer.status_code for answer in answers] == [200, 200, 429]


def test_a_revoked_keys_tokens_end_with_it(gateway: Gateway) -> None:
    made = publishable(gateway)
    token = token_of(gateway, made["key"])["token"]
    with gateway.client(headers=admin(gateway)) as client:
        client.delete(f"/api/llm/keys/{made['id']}")
    assert call(gateway, token, "assistant/site", SHOP).status_code == 401


def preflight(gateway: Gateway, origin: str) -> Any:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    with gateway.client() as client:
        return client.options("/v1/chat/completions", headers=headers)


def test_browsers_may_call_from_the_keys_origins_and_the_settings_alone(start: Start) -> None:
    with start(TRIVET_ALLOWED_ORIGINS="https://own.example") as gateway:
        assert preflight(gateway, SHOP).status_code == 403
        made = publishable(gateway)
        for origin in (SHOP, "https://own.example"):
            allowed = preflight(gateway, origin)
            assert allowed.status_code == 200
            assert allowed.headers["access-control-allow-origin"] == origin
            assert "access-control-allow-credentials" not in allowed.headers
        assert preflight(gateway, OTHER).status_code == 403
        answer = call(gateway, made["key"], "assistant/site", SHOP)
        assert answer.headers["access-control-allow-origin"] == SHOP
        exposed = answer.headers["access-control-expose-headers"].lower()
        assert "x-ratelimit-remaining-requests" in exposed
        assert "retry-after" in exposed
        foreign = call(gateway, made["key"], "assistant/site", OTHER)
        assert "access-control-allow-origin" not in foreign.headers
        with gateway.client(headers=admin(gateway)) as client:
            client.delete(f"/api/llm/keys/{made['id']}")
        assert preflight(gateway, SHOP).status_code == 403


def test_a_refusal_before_the_body_is_a_chats_event_too(start: Start) -> None:
    with start(TRIVET_JSON_BODY_MAX_BYTES="1024") as gateway:
        key = publishable(gateway)["key"]
        for response, status, kind in (
            (call(gateway, "sk-test-nobodys"), 401, "authentication_error"),
            (call(gateway, key, "assistant/site", OTHER), 403, "permission_error"),
            (gateway.chat("openai/words", padding="x" * 2000), 413, "payload_too_large"),
        ):
            assert error_of(response)[:2] == (status, kind)
            event = gateway.neighbours.event_of(response.headers["x-request-id"])
            assert event["attributes"]["error.type"] == kind
            assert event["attributes"]["http.response.status_code"] == status
            assert event["attributes"]["trivet.end_reason"] == "refused"
        with gateway.client() as client:
            text = client.get("/metrics").text
        assert 'route="/v1/chat/completions",status="401"' in text
        assert 'trivet_llm_chats_total{end="refused",model="",provider=""} 3.0' in text


def test_an_unknown_assistant_gets_no_key(gateway: Gateway) -> None:
    body = {"kind": "publishable", "name": "x", "origins": [SHOP], "assistant": "nobody"}
    response = gateway.post("/api/llm/keys", body, headers=admin(gateway))
    assert error_of(response)[:2] == (404, "not_found_error")


def test_a_question_is_needed_to_chat_as_ever(gateway: Gateway) -> None:
    headers = {"Authorization": f"Bearer {publishable(gateway)['key']}", "Origin": SHOP}
    body = chat_body("assistant/site", "")
    assert gateway.post("/v1/chat/completions", body, headers=headers).status_code == 422
