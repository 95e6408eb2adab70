"""Keys for tests, made as an administrator makes them."""

from typing import Any

import httpx

from tests.llm_proxy.conftest import Gateway, chat_body


def admin(gateway: Gateway) -> dict[str, str]:
    return {"Authorization": f"Bearer {gateway.admin_token}"}


def make_key(gateway: Gateway, **fields: Any) -> dict[str, Any]:
    """A key with its secret in `key`."""
    body = {"name": "a test's", **fields}
    response = gateway.post("/api/llm/keys", body, headers=admin(gateway))
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def publishable(gateway: Gateway, origin: str = "https://shop.example", **fields: Any) -> Any:
    more = {"kind": "publishable", "origins": [origin], "assistant": "site", **fields}
    return make_key(gateway, **more)


def call(
    gateway: Gateway, key: str, model: str = "openai/words", origin: str = "", **more: Any
) -> httpx.Response:
    """A chat with a virtual key, or a visitor's token."""
    headers = {"Authorization": f"Bearer {key}", **({"Origin": origin} if origin else {})}
    return gateway.post("/v1/chat/completions", chat_body(model, **more), headers=headers)


def error_of(response: httpx.Response) -> tuple[int, str, str]:
    """(status, type, message)."""
    error = response.json()["error"]
    assert error["code"] == response.status_code
    return response.status_code, error["type"], error["message"]
