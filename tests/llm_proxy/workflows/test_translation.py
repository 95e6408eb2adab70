"""Translations: from the call to what kb keeps, in each mode, with and without a briefing."""

from typing import Any

import pytest
from starlette.responses import Response

from tests.llm_proxy.workflows.conftest import House, Start, data_of, models_file
from tests.llm_proxy.workflows.stands import BRIEFING, POEM, said_to
from tests.support.wait import until

pytestmark = pytest.mark.process


def test_a_hybrid_translation_goes_through_its_three_steps(house: House) -> None:
    begun = house.call(
        "POST",
        "/api/v1/workflow/translate",
        {"poem_id": POEM["id"], "target_lang": "zh-CN", "workflow_mode": "hybrid"},
    )
    assert begun.status_code == 200
    task_id = begun.json()["task_id"]
    assert begun.json() == {
        "task_id": task_id,
        "status": "pending",
        "poem_id": POEM["id"],
        "target_lang": "zh-CN",
    }

    task = house.ended(task_id)

    assert task["status"] == "completed" and task["progress"] == 100
    assert [step["name"] for step in task["steps"]] == [
        "initial_translation",
        "editor_review",
        "revised_translation",
    ]
    for step in task["steps"]:
        assert step["status"] == "completed" and step["model"] == "vendor/good"
        assert step["tokens"] == 15 and step["cost_usd"] == 20 / 1_000_000
        assert step["seconds"] >= 0 and step["attempts"] == 1
    assert task["result"]["translated_text"] == "moon\n  frost (revised)"
    assert task["error"] is None and task["current_step"] is None


def test_kb_keeps_what_was_made_and_what_it_took(house: House) -> None:
    task = house.ended(house.translate())
    kept = [t for t in house.kb.kept["translations"] if t["task_id"] == task["task_id"]]
    assert len(kept) == 1
    assert task["result"]["translation_id"] == kept[0]["id"]
    record = {name: kept[0][name] for name in ("translator_type", "mode", "workflow", "model")}
    assert record == {
        "translator_type": "ai",
        "mode": "hybrid",
        "workflow": "translation",
        "model": "vendor/good",
    }
    assert (kept[0]["input_tokens"], kept[0]["output_tokens"]) == (30, 15)
    assert kept[0]["translated_title"] == "Quiet night"


def test_modes_choose_the_model_of_each_step(start: Start) -> None:
    models = {
        "LLM_PROXY_WORKFLOW_FAST_MODEL": "vendor/fast",
        "LLM_PROXY_WORKFLOW_REASONING_MODEL": "vendor/deep",
    }
    with start(**models) as house:
        for mode, asked in (
            ("hybrid", ["fast", "deep", "fast"]),
            ("reasoning", ["deep", "deep", "deep"]),
            ("non_reasoning", ["fast", "fast", "fast"]),
        ):
            house.model.calls.clear()
            task = house.ended(house.translate(mode))
            assert [call["model"] for call in house.model.calls] == asked
            assert [step["model"] for step in task["steps"]] == [f"vendor/{m}" for m in asked]


def test_a_step_that_another_model_stood_in_for_names_that_model(start: Start) -> None:
    def models(model_url: str) -> dict[str, Any]:
        file = models_file(model_url)
        file["providers"]["spare"] = dict(file["providers"]["vendor"])
        return {**file, "fallbacks": {"vendor/good": ["spare/good"]}}

    with start(models=models) as house:
        failures = iter([Response("", 500)])
        house.model.answer = lambda body: next(failures, None) or said_to(body)
        task = house.ended(house.translate())
        assert task["status"] == "completed"
        used = [step["model"] for step in task["steps"]]
        assert used == ["spare/good", "vendor/good", "vendor/good"]


def test_a_step_sees_the_poem_as_it_is_and_what_came_before(house: House) -> None:
    house.model.calls.clear()
    house.ended(house.translate())
    first, review, last = (call["messages"][-1]["content"] for call in house.model.calls[-3:])
    assert POEM["original_text"] in first
    assert "moon\n  frost (first)" in review
    assert "Line 2 is weak." in last and "moon\n  frost (first)" in last


def test_a_translation_first_makes_the_briefing_that_is_missing(start: Start) -> None:
    with start(LLM_PROXY_WORKFLOW_MAKES_BRIEFINGS="true") as house:
        task = house.ended(house.translate())
        assert task["status"] == "completed"
        assert len(house.kb.kept["briefings"]) == 1
        prompts = [call["messages"][-1]["content"] for call in house.model.calls]
        assert "The Tang dynasty." in prompts[1] and "The Tang dynasty." not in prompts[2]
        house.ended(house.translate())
        assert len(house.kb.kept["briefings"]) == 1  # the newest one is used


def test_a_briefing_that_cannot_be_made_keeps_no_translation_back(start: Start) -> None:
    with start(LLM_PROXY_WORKFLOW_MAKES_BRIEFINGS="true") as house:
        good = house.model.answer
        house.model.answer = lambda body: "no" if body.get("response_format") else good(body)
        task = house.ended(house.translate())
        assert task["status"] == "completed"
        messages = [data_of(event)["message"] for event in house.events(task["task_id"])]
        assert "the briefing could not be made: goes on without one" in messages


def test_unknown_poems_and_odd_languages_are_refused(house: House) -> None:
    path = "/api/v1/workflow/translate"
    assert house.call("POST", path, {"poem_id": "0" * 32, "target_lang": "en"}).status_code == 404
    for wrong in ("english", "EN", "zh-cn", ""):
        answer = house.call("POST", path, {"poem_id": POEM["id"], "target_lang": wrong})
        assert answer.status_code == 422 and answer.json()["error"]["param"] == "target_lang"
    odd = {"poem_id": POEM["id"], "target_lang": "en", "workflow_mode": "magic"}
    assert house.call("POST", path, odd).status_code == 422


def test_calls_of_models_carry_the_task_as_their_session(house: House) -> None:
    task_id = house.translate()
    house.ended(task_id)
    events = until(
        lambda: [e for e in house.kb.events if e["session_id"] == task_id and e["kind"] == "chat"],
        10,
        "the calls' events",
    )
    until(
        lambda: len({e["request_id"] for e in house.kb.events if e["session_id"] == task_id}) >= 4
    )
    assert all(event["request_id"].startswith(task_id) for event in events)


def test_the_end_of_a_task_is_an_event_for_analytics(house: House) -> None:
    task_id = house.translate()
    house.ended(task_id)
    found = until(
        lambda: [
            e for e in house.kb.events if e["kind"] == "workflow" and e["session_id"] == task_id
        ],
        10,
        "the workflow's event",
    )
    told = found[0]["attributes"]
    assert told["trivet.workflow"] == "translation" and told["trivet.workflow_mode"] == "hybrid"
    assert told["trivet.end_reason"] == "completed" and told["gen_ai.usage.output_tokens"] == 15
    assert told["trivet.translator_type"] == "ai" and told["trivet.duration_seconds"] >= 0


def test_a_briefing_goes_into_the_prompts_in_readable_words(start: Start) -> None:
    with start() as house:
        house.kb.kept["briefings"].append(
            {"id": "b1", "poem_id": POEM["id"], "task_id": "t", "content": BRIEFING}
        )
        house.ended(house.translate())
        assert (
            "cultural context: The Tang dynasty." in house.model.calls[0]["messages"][-1]["content"]
        )


def test_a_model_that_thinks_for_long_is_named_and_priced_all_the_same(start: Start) -> None:
    with start(LLM_PROXY_HEARTBEAT_SECONDS="0.05") as house:
        house.model.first_seconds = 0.2  # a heartbeat is sent before the head names the model
        task = house.ended(house.translate("reasoning"))
        assert {step["model"] for step in task["steps"]} == {"vendor/good"}
        assert all(step["cost_usd"] for step in task["steps"])
