"""No key, path or exception text reaches a caller, a log or an event."""

import logging
from pathlib import Path

import pytest

from tests.llm_proxy.conftest import KEY, Gateway, Start, chat_body

CANARIES = (KEY, "sk-test-wrong-key", "Traceback", "site-packages", "services/llm_proxy")
MODELS = [
    "openai/words",
    "openai/fail:code=invalid_value:echo=1",
    "openai/fail:code=invalid_api_key:echo=1",
    "openai/fail:code=server_error:echo=1",
    "doubao/fail:code=AuthenticationError:echo=1",
    "doubao/fail:code=InvalidParameter:echo=1",
    "dashscope/fail:code=InvalidParameter:echo=1",
    "dashscope/error_event:code=InvalidApiKey:after=2",
    "openai/garbage",
    "openai/cut:after=2",
    "openai/notjson",
    "wrongkey/words",
    "away/words",
    "keyless/words",
    "nobody/words",
]


def test_nothing_that_is_told_or_kept_holds_a_secret(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with start() as gateway:
        told = [
            gateway.chat(model, stream=stream).text for model in MODELS for stream in (True, False)
        ]
        told += _listings(gateway)
        secrets = (*CANARIES, gateway.admin_token, _service_token(gateway), str(gateway.folder))
        last = gateway.chat("openai/words")
        gateway.neighbours.event_of(last.headers["x-request-id"])
        told.append(str(gateway.neighbours.events))
    kept = [path.read_text("utf-8", "replace") for path in _kept(gateway.folder)]
    logged = [record.getMessage() + str(record.__dict__) for record in caplog.records]
    for secret in secrets:
        assert not [text for text in (*told, *kept) if secret in text], secret
    for secret in secrets[:2]:
        assert not [line for line in logged if secret in line], secret


def _listings(gateway: Gateway) -> list[str]:
    headers = {"Authorization": f"Bearer {gateway.admin_token}"}
    with gateway.client(headers=headers) as client:
        paths = (
            "/api/llm/providers",
            "/api/llm/configuration",
            "/api/llm/keys",
            "/settings",
            "/v1/models",
            "/readyz",
            "/metrics",
            "/openapi.json",
        )
        return [client.get(path).text for path in paths]


def _service_token(gateway: Gateway) -> str:
    return (gateway.folder / "data" / "service-token").read_text().strip()


def _kept(folder: Path) -> list[Path]:
    tokens = {"admin-token", "service-token"}
    return [p for p in (folder / "data").rglob("*") if p.is_file() and p.name not in tokens]


def test_a_question_with_control_characters_stays_one_line_of_json(gateway: Gateway) -> None:
    response = gateway.post("/v1/chat/completions", chat_body("openai/words", "a\r\nb\x00\u2028c"))
    assert response.status_code == 200
    event = gateway.neighbours.event_of(response.headers["x-request-id"])
    assert event["attributes"]["trivet.question"] == "a\r\nb\x00\u2028c"
