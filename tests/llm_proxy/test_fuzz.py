"""Whatever is sent, the answer is the contract's: no 500, and JSON with one error body."""

from typing import Any

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.llm_proxy.conftest import Gateway

pytestmark = pytest.mark.process

PATHS = [
    "/v1/chat/completions",
    "/api/llm/openai",
    "/api/llm/dashscope",
    "/api/llm/tongyi",
    "/api/llm/dashscope/apps/words/completion",
    "/api/llm/dashscope/services/aigc/text-generation/generation",
    "/v1/embeddings",
    "/api/session",
]
WORDS = """model messages role content input prompt parameters stream stream_options type text tools
session_id image_url url token max_tokens"""
NAMES = st.sampled_from(WORDS.split())
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["user", "assistant", "openai/words", "assistant/site", "app", "words"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)
MESSAGES = st.lists(st.dictionaries(NAMES, VALUES, max_size=3), max_size=3)


@pytest.mark.parametrize("path", PATHS)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.dictionaries(NAMES, VALUES, max_size=4), messages=st.none() | MESSAGES)
def test_no_body_breaks_an_operation(
    gateway: Gateway, path: str, body: dict[str, Any], messages: list[Any] | None
) -> None:
    if messages is not None:
        body = {**body, "messages": messages}
    headers = {"Authorization": f"Bearer {gateway.admin_token}"}
    response = gateway.post(path, _dumps(body), headers=headers)
    assert response.status_code != 500, response.text
    if response.status_code >= 400:
        error = response.json()["error"]
        assert error["code"] == response.status_code
        assert error["request_id"] == response.headers["x-request-id"]


def _dumps(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:  # integers over 64 bits: written by the standard library
        return httpx.Request("POST", "http://x", json=body).read()
