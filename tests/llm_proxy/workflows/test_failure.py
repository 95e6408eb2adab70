"""A vendor that fails at each step in each way: the task ends, plainly, with what was done kept."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.responses import JSONResponse, Response

from services.kernel.sse import SseEvent
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
BRIEFING_STEPS = ("briefing_report",)
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
    """The project's own, with a mode for each step and way."""
    target = folder / "workflows"
    shutil.copytree(DEFINITIONS / "prompts", target / "prompts")
    for name, steps in (("translation", STEPS), ("briefing", BRIEFING_STEPS)):
        definition = yaml.safe_load((DEFINITIONS / f"{name}.yaml").read_text())
        definition["models"] = {"good": "vendor/words"}
        definition["modes"] = {"hybrid": "good"}
        definition["default_mode"] = "hybrid"
        for way, behaviour in enumerate(WAYS):
            definition["models"][f"way_{way}"] = f"vendor/{behaviour}"
            for step in steps:
                chosen = {other: f"way_{way}" if other == step else "good" for other in steps}
                definition["modes"][mode_of(step, way)] = chosen
        definition["concurrency"] = 8
        (target / f"{name}.yaml").write_text(yaml.safe_dump(definition))
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


def begun_in_each_way(house: House, workflow: str, step: str) -> dict[str, str]:
    """The task by the vendor's behaviour."""
    inputs = {"target_lang": "en"} if workflow == "translation" else {}
    begun = {}
    for way, behaviour in enumerate(WAYS):
        mode = mode_of(step, way)
        body = {"workflow": workflow, "mode": mode, "poem_id": POEM["id"], "inputs": inputs}
        begun[behaviour] = house.call("POST", "/api/v1/workflow/tasks", body).json()["task_id"]
    return begun


def watched_with_a_break(house: House, task_id: str) -> list[SseEvent]:
    """A watcher who leaves after two events and comes again."""
    path = f"/api/v1/workflow/tasks/{task_id}/stream"
    with closing(house.watch(path)) as stream:
        first = list(islice((event for event in stream if event.id), 2))
    return [*first, *house.events(task_id, after=first[-1].id or "")]


@pytest.mark.parametrize("step", STEPS)
def test_a_vendors_failure_ends_the_task_at_its_step(failing: House, step: str) -> None:
    begun = begun_in_each_way(failing, "translation", step)
    with ThreadPoolExecutor(2 * len(begun)) as pool:
        whole = {task_id: pool.submit(failing.events, task_id) for task_id in begun.values()}
        broken = [pool.submit(watched_with_a_break, failing, task_id) for task_id in whole]
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
        told = whole[task_id].result()
        assert [event.event for event in told[-2:]] == ["failed", "error"], behaviour
    for watcher in broken:
        events = watcher.result()
        assert {events[-2].event, events[-1].event} <= {"failed", "error"}
        ids = [int(event.id) for event in events if event.id]
        assert ids == sorted(ids)


def test_a_vendors_failure_ends_a_briefing_and_keeps_nothing(failing: House) -> None:
    begun = begun_in_each_way(failing, "briefing", "briefing_report")
    for behaviour, task_id in begun.items():
        task = failing.ended(task_id, 60)
        assert task["status"] == "failed", behaviour
        assert WAYS[behaviour] in (None, task["error"]["type"]), f"{behaviour}: {task['error']}"
    assert failing.kb.kept["briefings"] == []


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
