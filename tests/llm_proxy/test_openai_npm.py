"""The unmodified `openai` npm package works against the gateway."""

import json
import subprocess
from pathlib import Path

from tests.llm_proxy.conftest import Gateway
from tests.support.wait import until

SCRIPT = Path(__file__).with_name("openai_sdk.mjs")


def test_the_npm_sdk_streams_calls_tools_embeds_stops_and_reads_our_errors(
    gateway: Gateway,
) -> None:
    done = subprocess.run(
        ["node", str(SCRIPT), f"{gateway.url}/v1", gateway.admin_token],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["whole"] == seen["streamed"]["text"] != ""
    assert seen["streamed"]["finish"] == "stop"
    assert seen["streamed"]["usage"]["completion_tokens"] > 0
    assert seen["ark"]["text"] == seen["claude"]["text"] == "Hello 世界!"
    here = {"name": "look", "arguments": {"where": "here"}}
    assert seen["called"] == {"finish": "tool_calls", "calls": [here]}
    both = [here, {"name": "look", "arguments": {}}]
    assert seen["claude_called"] == {"finish": "tool_calls", "calls": both}
    assert seen["embedded"] == [[3, 0.5], [5, 0.5]]
    assert "assistant/site" in seen["models"]
    assert (seen["unknown"]["name"], seen["unknown"]["status"]) == ("NotFoundError", 404)
    assert (seen["limited"]["name"], seen["limited"]["status"]) == ("RateLimitError", 429)
    assert seen["broken"] is not None
    assert seen["broken"]["name"] == "APIError"
    assert 3 <= seen["chunks_before_stop"] < 10_000
    until(lambda: gateway.vendor.open_streams == 0, 5, "the stopped stream is closed upstream")
