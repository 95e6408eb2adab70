"""A briefing and a hybrid translation with the local model through the whole stack, watched."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from services.kernel.sse import SseEvent, SseParser
from tests.llm_proxy.workflows.conftest import data_of
from tests.support.stack import Stack
from tests.support.wait import until

pytestmark = pytest.mark.stack

POEM = {
    "title": "Fire and Ice",
    "author": "Robert Frost",
    "source_lang": "en",
    "original_text": (
        "Some say the world will end in fire,\nSome say in ice.\n"
        "From what I've tasted of desire\nI hold with those who favor fire."
    ),
}


@pytest.fixture
def site(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.base_url, headers=stack.admin, timeout=300) as client:
        yield client


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


def ended(site: httpx.Client, task_id: str) -> dict[str, object]:
    def look() -> dict[str, object] | None:
        task: dict[str, object] = site.get(f"/api/v1/workflow/tasks/{task_id}").json()
        return task if task["status"] in ("completed", "failed", "cancelled") else None

    found = until(look, 280, f"the end of {task_id}")
    assert found is not None
    return found


def test_a_briefing_and_a_translation_are_made_watched_and_kept(
    stack: Stack, site: httpx.Client
) -> None:
    made = site.post("/api/v1/poems", json=POEM)
    assert made.status_code in (200, 201), made.text
    poem_id = made.json()["id"]

    begun = site.post("/api/v1/bbr/generate", json={"poem_id": poem_id}).json()
    assert begun["status"] == "generating"
    briefing = ended(site, begun["task_id"])
    assert briefing["status"] == "completed", briefing
    shown = site.get(f"/api/v1/bbr/{poem_id}").json()
    assert set(shown["content"]) == {"summary", "cultural_context", "form_and_style", "challenges"}
    assert shown["model"].startswith("local/") and shown["output_tokens"] > 0
    assert shown["seconds"] > 0

    body = {"poem_id": poem_id, "target_lang": "zh-CN", "workflow_mode": "hybrid"}
    task_id = site.post("/api/v1/workflow/translate", json=body).json()["task_id"]
    path = f"/api/v1/workflow/tasks/{task_id}/stream"
    with ThreadPoolExecutor() as pool:
        whole = pool.submit(watched, stack.base_url, path)
        broken = pool.submit(watched_with_a_break, stack.base_url, path)
        seen = [whole.result(280), broken.result(280)]
    told = [[(event.id, event.data) for event in events if event.id] for events in seen]
    assert told[0] == told[1]
    assert {"connected", "status", "step_change", "token"} <= {e.event for e in seen[0]}
    last = data_of(seen[0][-1])
    assert last["status"] == "completed", last
    assert [step["status"] for step in last["steps"]] == ["completed"] * 3
    kept = site.get(f"/api/v1/poems/{poem_id}/translations").json()
    assert [item["task_id"] for item in kept] == [task_id]
    assert kept[0]["translator_type"] == "ai" and kept[0]["translated_text"]
