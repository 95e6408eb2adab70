"""A briefing and a hybrid translation with the local model through the whole stack, watched."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import yaml

from services.kernel.sse import SseEvent, SseParser
from tests.llm_proxy.workflows.conftest import DEFINITIONS, data_of
from tests.support.stack import Stack
from tests.support.wait import until

pytestmark = pytest.mark.stack

POEM = {
    "title": "The Rainbow",
    "author": "Christina Rossetti",
    "source_lang": "en",
    "original_text": (
        "Boats sail on the rivers,\n  And ships sail on the seas;\n"
        "But clouds that sail across the sky\n  Are prettier far than these."
    ),
}
STEPS = ("initial_translation", "editor_review", "revised_translation")
# A vendor that refuses, breaks off in the middle, talks nonsense, and says nothing.
WAYS = ("fail:code=InvalidParameter", "cut:after=2", "garbage", "empty")


@pytest.fixture
def site(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.base_url, headers=stack.admin, timeout=300) as client:
        yield client


@pytest.fixture
def poem_id(site: httpx.Client) -> Iterator[str]:
    """A poem, for as long as the test lasts: others count what the stack holds."""
    made = site.post("/api/v1/poems", json=POEM)
    assert made.status_code in (200, 201), made.text
    yield made.json()["id"]
    site.delete(f"/api/v1/poems/{made.json()['id']}")


def watched(base_url: str, path: str, after: str = "", pause_after: int = 0) -> list[SseEvent]:
    """A stream's events, without a credential; `pause_after`: leave after so many with an id."""
    parser, found = SseParser(), list[SseEvent]()
    headers = {"Last-Event-ID": after} if after else {}
    with (
        httpx.Client(base_url=base_url, timeout=300) as client,
        client.stream("GET", path, headers=headers) as response,
    ):
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-cache"
        for chunk in response.iter_bytes():
            found += parser.feed(chunk)
            if pause_after and sum(bool(event.id) for event in found) >= pause_after:
                break
    return found


def watched_with_a_break(base_url: str, path: str) -> list[SseEvent]:
    first = watched(base_url, path, pause_after=3)
    ids = [event.id for event in first if event.id]
    return [*first, *watched(base_url, path, after=ids[-1] or "")]


def watched_by_two(stack: Stack, path: str) -> list[list[SseEvent]]:
    """What two watchers were told, of whom one left and came again."""
    with ThreadPoolExecutor() as pool:
        whole = pool.submit(watched, stack.base_url, path)
        broken = pool.submit(watched_with_a_break, stack.base_url, path)
        return [whole.result(280), broken.result(280)]


def told_alike(seen: list[list[SseEvent]]) -> list[SseEvent]:
    """The events of both, which must be the same."""
    told = [[(event.id, event.data) for event in events if event.id] for events in seen]
    assert told[0] == told[1]
    return seen[0]


def ended(site: httpx.Client, task_id: str) -> dict[str, object]:
    def look() -> dict[str, object] | None:
        task: dict[str, object] = site.get(f"/api/v1/workflow/tasks/{task_id}").json()
        return task if task["status"] in ("completed", "failed", "cancelled") else None

    found = until(look, 280, f"the end of {task_id}")
    assert found is not None
    return found


def test_a_briefing_and_a_translation_are_made_watched_and_kept(
    stack: Stack, site: httpx.Client, poem_id: str
) -> None:
    begun = site.post("/api/v1/bbr/generate", json={"poem_id": poem_id}).json()
    assert begun["status"] == "generating"
    seen = told_alike(watched_by_two(stack, f"/api/v1/bbr/{poem_id}/stream"))
    assert data_of(seen[-1])["status"] == "completed", seen[-1]
    briefing = ended(site, begun["task_id"])
    assert briefing["status"] == "completed", briefing
    shown = site.get(f"/api/v1/bbr/{poem_id}").json()
    assert set(shown["content"]) == {"summary", "cultural_context", "form_and_style", "challenges"}
    assert shown["model"].startswith("local/") and shown["output_tokens"] > 0
    assert shown["seconds"] > 0

    body = {"poem_id": poem_id, "target_lang": "zh-CN", "workflow_mode": "hybrid"}
    task_id = site.post("/api/v1/workflow/translate", json=body).json()["task_id"]
    seen = told_alike(watched_by_two(stack, f"/api/v1/workflow/tasks/{task_id}/stream"))
    assert {"connected", "status", "step_change", "token"} <= {event.event for event in seen}
    last = data_of(seen[-1])
    assert last["status"] == "completed", last
    assert [step["status"] for step in last["steps"]] == ["completed"] * 3
    kept = site.get(f"/api/v1/poems/{poem_id}/translations").json()
    assert [item["task_id"] for item in kept] == [task_id]
    assert kept[0]["translator_type"] == "ai" and kept[0]["translated_text"]


def failing_definition() -> dict[str, Any]:
    """The project's translation, with a mode for each step at which a vendor fails in each way."""
    definition: dict[str, Any] = yaml.safe_load((DEFINITIONS / "translation.yaml").read_text())
    definition |= {"briefing": "use", "default_mode": "good", "modes": {"good": "good"}}
    definition |= {"models": {"good": "doubao/words"}, "concurrency": 4}
    for way, behaviour in enumerate(WAYS):
        definition["models"][f"way_{way}"] = f"doubao/{behaviour}"
        for step in STEPS:
            chosen = {name: f"way_{way}" if name == step else "good" for name in STEPS}
            definition["modes"][f"{step}_{way}"] = chosen
    return definition


def is_known(site: httpx.Client, name: str) -> bool:
    """Whether both instances have taken the definition: nginx asks them in turn."""
    answers = [site.get("/api/v1/workflow/definitions").json()["items"] for _ in range(4)]
    return all(name in [item["name"] for item in items] for items in answers)


def test_a_vendor_that_fails_at_each_step_is_told_to_both_watchers(
    stack: Stack, site: httpx.Client, poem_id: str
) -> None:
    path = stack.root / "config" / "workflows" / "failing.yaml"
    path.write_text(yaml.safe_dump(failing_definition()))
    until(lambda: is_known(site, "failing"), 30, "the definition is taken")
    for position, step in enumerate(STEPS):
        for way, behaviour in enumerate(WAYS):
            body = {
                "workflow": "failing",
                "mode": f"{step}_{way}",
                "poem_id": poem_id,
                "inputs": {"target_lang": "zh"},
            }
            task_id = site.post("/api/v1/workflow/tasks", json=body).json()["task_id"]
            rest = len(STEPS) - position - 1
            wanted = ["completed"] * position + ["failed"] + ["pending"] * rest
            for seen in watched_by_two(stack, f"/api/v1/workflow/tasks/{task_id}/stream"):
                assert [event.event for event in seen[-2:]] == ["failed", "error"], behaviour
                states = [item["status"] for item in data_of(seen[-1])["steps"]]
                assert states == wanted, behaviour
                ids = [int(event.id) for event in seen if event.id]
                assert ids == sorted(ids)
    assert site.get(f"/api/v1/poems/{poem_id}/translations").json() == []
    path.unlink()
