"""Who may chat, how often strangers may, and the console's session."""

import pytest

from tests.llm_proxy.conftest import Gateway, Start, chat_body

pytestmark = pytest.mark.process

PASSAGE = {"id": "1", "title": "T", "content": "C", "relevance_score": 0.9}


def test_strangers_may_chat_sixty_times_a_minute_by_default(start: Start) -> None:
    with start(LLM_PROXY_ANONYMOUS_CHATS_PER_MINUTE="") as gateway:
        statuses = [gateway.chat("openai/words").status_code for _ in range(61)]
        assert statuses == [200] * 60 + [429]
        refused = gateway.chat("openai/words")
        assert refused.json()["error"]["type"] == "rate_limit_error"
        assert 1 <= int(refused.headers["retry-after"]) <= 62
        for path in ("/api/llm/openai", "/api/llm/dashscope/apps/words/completion"):
            assert gateway.post(path, {"input": {"prompt": "x"}}).status_code in (404, 429)
        elsewhere = gateway.post(
            "/v1/chat/completions", chat_body("openai/words"), headers={"X-Real-IP": "203.0.113.9"}
        )
        assert elsewhere.status_code == 200
        admin = {"Authorization": f"Bearer {gateway.admin_token}"}
        allowed = gateway.post("/v1/chat/completions", chat_body("openai/words"), headers=admin)
        assert allowed.status_code == 200
        event = gateway.neighbours.event_of(refused.headers["x-request-id"])
        assert event["attributes"]["error.type"] == "rate_limit_error"
        assert event["attributes"]["trivet.end_reason"] == "refused"
        assert event["attributes"]["trivet.question"] == "How are you?"


def test_addresses_of_one_household_count_together(start: Start) -> None:
    with start(LLM_PROXY_ANONYMOUS_CHATS_PER_MINUTE="1") as gateway:

        def status(address: str) -> int:
            body, headers = chat_body("openai/words"), {"X-Real-IP": address}
            return gateway.post("/v1/chat/completions", body, headers=headers).status_code

        assert status("2001:db8::1") == 200
        assert status("2001:db8::2") == 429
        assert status("2001:db8:0:1::1") == 200


@pytest.mark.parametrize(
    ("environ", "model_status", "assistant_status", "listing"),
    [
        ({"LLM_PROXY_ANONYMOUS": "all"}, 200, 200, 200),
        ({"LLM_PROXY_ANONYMOUS": "assistants"}, 401, 200, 200),
        ({"LLM_PROXY_ANONYMOUS": "off"}, 401, 401, 401),
        ({"DOMAIN": "chat.example"}, 401, 200, 200),
    ],
)
def test_who_may_chat_without_a_credential_is_one_setting(
    start: Start, environ: dict[str, str], model_status: int, assistant_status: int, listing: int
) -> None:
    with start(**environ) as gateway:
        gateway.neighbours.passages = [PASSAGE]
        assert gateway.chat("openai/words").status_code == model_status
        assert gateway.post("/api/llm/openai", chat_body(None)).status_code == model_status
        native = gateway.post("/api/llm/dashscope", {"input": {"prompt": "x"}})
        assert native.status_code == model_status
        assert gateway.chat("assistant/site").status_code == assistant_status
        with gateway.client() as client:
            response = client.get("/v1/models")
            assert response.status_code == listing
            if model_status == 401 and listing == 200:
                listed = [item["id"] for item in response.json()["data"]]
                assert "assistant/site" in listed
                assert all(name.startswith("assistant/") for name in listed)
        admin = {"Authorization": f"Bearer {gateway.admin_token}"}
        allowed = gateway.post("/v1/chat/completions", chat_body("openai/words"), headers=admin)
        assert allowed.status_code == 200


def test_a_credential_that_nobody_issued_is_refused(gateway: Gateway) -> None:
    for headers in ({"Authorization": "Bearer sk-test-nobodys"}, {"x-api-key": "sk-test-nobodys"}):
        response = gateway.post("/v1/chat/completions", chat_body("openai/words"), headers=headers)
        assert response.status_code == 401
        assert response.json()["error"]["type"] == "authentication_error"
    response = gateway.post(
        "/v1/chat/completions", chat_body("openai/words"), headers={"x-api-key": "anonymous"}
    )
    assert response.status_code == 200


def test_the_console_logs_in_and_out(start: Start) -> None:
    with start() as gateway, gateway.client() as client:
        assert client.get("/api/session").status_code == 401
        assert client.post("/api/session", json={"token": "wrong"}).status_code == 401
        assert client.post("/api/session", json={}).status_code == 422
        login = client.post("/api/session", json={"token": gateway.admin_token})
        assert login.json() == {"role": "administrator"}
        cookie = login.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Path=/;" in cookie + ";"
        assert "Secure" not in cookie
        assert client.get("/api/session").json() == {"role": "administrator"}
        assert client.get("/api/llm/providers").status_code == 200
        same = {"Sec-Fetch-Site": "same-origin"}
        assert client.delete("/api/session", headers=same).status_code == 204
        assert client.get("/api/session").status_code == 401


def test_the_sessions_cookie_is_secure_on_a_real_site(start: Start) -> None:
    with start(DOMAIN="chat.example", TRIVET_PREFIX="/a/b/") as gateway, gateway.client() as client:
        cookie = client.post("/api/session", json={"token": gateway.admin_token}).headers[
            "set-cookie"
        ]
        assert "Secure" in cookie
        assert "Path=/a/b/" in cookie


def test_guessing_the_token_is_slow(start: Start) -> None:
    with start() as gateway, gateway.client() as client:
        statuses = [
            client.post("/api/session", json={"token": f"guess {n}"}).status_code for n in range(11)
        ]
        assert statuses == [401] * 10 + [429]
