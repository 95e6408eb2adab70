"""A vendor that fails at each step in each way: the task ends, plainly, with what was done kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.responses import JSONResponse, Response

from tests.llm_proxy.workflows.conftest import (
    DEFINITIONS,
    KEY,
    House,
    Start,
    data_of,
    give_database,
    running_house,
)
from tests.llm_proxy.workflows.stands import POEM, said_to
from tests.mock_vendor import Vendor, running_vendor

pytestmark = pytest.mark.process

STEPS = ("initial_translation", "editor_review", "revised_translation")
WAYS = {
    "fail:code=rate_limit_exceeded": "rate_limit_error",
    "fail:code=insufficient_quota": None,
    "fail:code=server_error": "proxy_error",
    "fail:code=invalid_api_key:echo=1": "proxy_error",
    "fail:code=model_not_found": "not_found_error",
    "fail:code=invalid_value": "invalid_request_error",
    "fail:code=request_too_large": "payload_too_large",
    "fail:code=overloaded": "overloaded_error",
    "fail:code=gateway_timeout": None,
    "error_event": None,
    "error_event:after=2": None,
    "silent": "timeout_error",
    "silent_head": "timeout_error",
    "comments_only": "timeout_error",
    "stall:after=2": "timeout_error",
    "cut:after=2": "proxy_error",
    "truncated:after=2": "proxy_error",
    "garbage": "proxy_error",
    "html": "proxy_error",
    "notjson": "proxy_error",
    "empty": "proxy_error",
    "huge_event": "proxy_error",
    "huge_head": "proxy_error",
}


def mode_of(step: str, way: int) -> str:
    return f"fails_at_{step}_{way}"


def definitions(folder: Path) -> Path:
    """The project's own, and `failing`: a mode for each step and way."""
    target = folder / "workflows"
    (target / "prompts" / "translation").mkdir(parents=True)
    for path in (DEFINITIONS / "prompts" / "translation").iterdir():
        (target / "prompts" / "translation" / path.name).write_text(path.read_text())
    definition = yaml.safe_load((DEFINITIONS / "translation.yaml").read_text())
    definition["models"] = {"good": "vendor/words"}
    definition["modes"] = {"hybrid": "good"}
    for way, behaviour in enumerate(WAYS):
        definition["models"][f"way_{way}"] = f"vendor/{behaviour}"
        for step in STEPS:
            chosen = {name: f"way_{way}" if name == step else "good" for name in STEPS}
            definition["modes"][mode_of(step, way)] = chosen
    definition["concurrency"] = 8
    (target / "translation.yaml").write_text(yaml.safe_dump(definition))
    return target


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with running_vendor() as started:
        yield started


@pytest.fixture(scope="module")
def failing(
    tmp_path_factory: pytest.TempPathFactory, vendor: Vendor, empty_database: Path
) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("failing")
    give_database(folder, empty_database)

    def models(_url: str) -> dict[str, Any]:
        quick = {"connect_seconds": 2, "first_output_seconds": 2, "silence_seconds": 2}
        provider = {
            "adapter": "openai_compatible",
            "base_url": vendor.openai,
            "api_key": KEY,
            "any_model": True,
            "default_model": "words",
            "timeouts": {**quick, "total_seconds": 20},
            "retry": {"attempts": 1},
            "cooldown": {"failures": 1000},
        }
        return {"default": ["vendor"], "providers": {"vendor": provider}}

    where = str(definitions(folder))
    with running_house(folder, models=models, LLM_PROXY_WORKFLOWS_DIR=where) as started:
        yield started


@pytest.mark.parametrize("step", STEPS)
def test_a_vendors_failure_ends_the_task_at_its_step(failing: House, step: str) -> None:
    begun = {}
    for way, behaviour in enumerate(WAYS):
        body = {
            "workflow": "translation",
            "mode": mode_of(step, way),
            "poem_id": POEM["id"],
            "inputs": {"target_lang": "en"},
        }
        begun[behaviour] = failing.call("POST", "/api/v1/workflow/tasks", body).json()["task_id"]
    for behaviour, task_id in begun.items():
        task = failing.ended(task_id, 60)
        assert task["status"] == "failed", behaviour
        kind = WAYS[behaviour]
        assert kind in (None, task["error"]["type"]), f"{behaviour}: {task['error']}"
        assert {"message", "type", "code", "request_id"} <= task["error"].keys()
        assert KEY not in str(task), behaviour
        position = STEPS.index(step)
        states = [item["status"] for item in task["steps"]]
        assert states == ["completed"] * position + ["failed"] + ["pending"] * (2 - position)
        assert all(item["attempts"] == 1 for item in task["steps"][:position])
        assert [event.event for event in failing.events(task_id)] == ["failed", "error"]


def test_a_translation_whose_vendor_says_what_it_wants_is_completed(failing: House) -> None:
    task = failing.ended(failing.translate())
    assert task["status"] == "completed"
    assert task["result"]["translated_text"] == "Hello 世界!"  # no tags: all of it is the poem


def test_what_may_be_asked_again_later_is(start: Start) -> None:
    with start() as house:
        busy = iter([{"retry-after": "1"}])

        def answer(body: dict[str, Any]) -> str | Response:
            headers = next(busy, None)
            return said_to(body) if headers is None else JSONResponse({}, 503, headers)

        house.model.answer = answer
        task = house.ended(house.translate())
        assert task["status"] == "completed" and task["steps"][0]["attempts"] == 2
        messages = [data_of(event)["message"] for event in house.events(task["task_id"])]
        assert messages.count("initial_translation is being done") >= 2


def test_the_gateways_limits_hold_for_the_key_of_workflows(start: Start) -> None:
    with start() as house:
        body = {"name": "workflows", "kind": "application", "daily_budget_usd": 0.000001}
        made = house.call("POST", "/api/llm/keys", body)
        assert made.status_code == 201, made.text
        secret = made.json()["key"]
    with start(LLM_PROXY_WORKFLOW_API_KEY=secret) as house:
        task = house.ended(house.translate())
        assert task["status"] == "failed" and task["error"]["type"] == "rate_limit_error"
        assert "budget" in task["error"]["message"]
