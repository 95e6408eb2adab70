"""The unmodified Vercel `ai` SDK works against the gateway."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.llm_proxy.conftest import Gateway
from tests.support.wait import until

SCRIPT = Path(__file__).with_name("ai_sdk.mjs")
ANSWER = "Hello 世界!"


@pytest.fixture(scope="module")
def seen(gateway: Gateway) -> dict[str, Any]:
    """What the SDK saw, all of it in one run: Node takes a second to start."""
    done = subprocess.run(
        ["node", str(SCRIPT), f"{gateway.url}/v1", gateway.admin_token],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_generates_and_streams(seen: dict[str, Any]) -> None:
    assert seen["whole"] == {"text": ANSWER, "usage": 3}
    for name in ("streamed", "application", "claude", "thinking"):
        assert (seen[name]["text"], seen[name]["finish"]) == (ANSWER, "stop"), name
        assert seen[name]["usage"]["outputTokens"] == 3, name


def test_it_reads_thoughts(seen: dict[str, Any]) -> None:
    assert seen["thinking"]["reasoning"] == seen["claude"]["reasoning"] == "Let me think."


def test_an_assistant_answers_it(seen: dict[str, Any]) -> None:
    assert "I found nothing" in seen["assistant"]["text"] or "没有" in seen["assistant"]["text"]


def test_it_calls_tools_and_goes_on_with_their_results(
    gateway: Gateway, seen: dict[str, Any]
) -> None:
    here = {"name": "look", "input": {"where": "here"}}
    assert seen["called"]["calls"] == [here]
    assert seen["called"]["results"] == ["nothing here"]
    assert seen["called"]["finish"] == "tool-calls"
    both = [here, {"name": "look", "input": {}}]
    assert seen["claude_called"]["calls"] == both
    assert seen["stepped"]["calls"] == both * 2
    sent = [r.body for r in gateway.vendor.requests if r.path == "/anthropic/v1/messages"]
    results = [m["content"] for body in sent for m in body["messages"] if m["role"] == "user"]
    known = [block for content in results if isinstance(content, list) for block in content]
    assert {block["tool_use_id"] for block in known if block["type"] == "tool_result"} == {
        "toolu_1",
        "toolu_2",
    }


def test_it_reads_our_errors(seen: dict[str, Any]) -> None:
    assert (seen["unknown"]["name"], seen["unknown"]["status"]) == ("AI_APICallError", 404)
    assert seen["unknown"]["message"].startswith("There is no ")
    assert seen["limited"]["status"] == 429
    assert seen["refused"]["error"]["status"] == 400
    assert seen["refused"]["error"]["message"] == "The vendor says no."


def test_it_notices_a_stream_that_breaks(seen: dict[str, Any]) -> None:
    broken = seen["broken"]
    assert broken["text"].startswith("Hello ")
    assert "API proxy error: " in json.dumps(broken["error"])
    assert broken["finish"] == "error"


def test_its_abort_reaches_the_vendor(gateway: Gateway, seen: dict[str, Any]) -> None:
    assert 3 <= seen["parts_before_stop"] < 10_000
    until(lambda: gateway.vendor.open_streams == 0, 5, "the stopped stream is closed upstream")


def test_it_embeds(seen: dict[str, Any]) -> None:
    assert seen["embedded"] == {"embeddings": [[3, 0.5], [5, 0.5]], "tokens": 6}
