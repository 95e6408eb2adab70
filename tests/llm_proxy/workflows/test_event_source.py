"""A browser's EventSource that comes again with growing pauses, as pages in the field do."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.llm_proxy.workflows.conftest import House, Start
from tests.llm_proxy.workflows.stands import POEM
from tests.support.wait import until

pytestmark = pytest.mark.browser

# Counts a good connection by `connected`, gives up after five bad ones in a row; ends on the end.
FOLLOW = """
(path) => {
  const seen = { names: [], attempts: 0, gaveUp: false, result: null };
  window.seen = seen;
  let failures = 0;
  const open = () => {
    seen.attempts += 1;
    const source = new EventSource(path);
    const note = (event) => seen.names.push(event.type);
    source.addEventListener("connected", (event) => { failures = 0; note(event); });
    source.addEventListener("status", note);
    source.addEventListener("step_change", note);
    source.addEventListener("completed", (event) => {
      note(event);
      seen.result = JSON.parse(event.data).result;
      source.close();
    });
    source.addEventListener("error", () => {
      source.close();
      if (failures === 5) { seen.gaveUp = true; return; }
      setTimeout(open, 10 * 2 ** failures);
      failures += 1;
    });
  };
  open();
}
"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def follow(page: Page, house: House, path: str) -> None:
    page.goto(f"{house.urls[0]}/livez")  # a page of the same origin
    page.evaluate(FOLLOW, path)


def seen(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("window.seen")
    return found


def test_a_page_follows_a_task_to_its_end_and_leaves(start: Start, page: Page) -> None:
    with start() as house:
        house.model.hold()
        task_id = house.translate()
        follow(page, house, f"/api/v1/workflow/tasks/{task_id}/stream")
        until(lambda: "step_change" in seen(page)["names"], 10, "the first step has begun")
        house.model.release()
        until(lambda: seen(page)["result"], 10, "the end")
        found = seen(page)
        assert found["attempts"] == 1 and found["names"][0] == "connected"
        assert found["result"]["translated_text"] == "moon\n  frost (revised)"
        page.close()


@pytest.mark.parametrize("how", ["failed", "cancelled"])
def test_a_page_comes_to_rest_when_its_task_came_to_nothing(
    start: Start, page: Page, how: str
) -> None:
    with start() as house:
        house.model.hold()
        if how == "failed":
            house.model.answer = lambda body: ""
        begun = house.call("POST", "/api/v1/bbr/generate", {"poem_id": POEM["id"]}).json()
        follow(page, house, f"/api/v1/bbr/{POEM['id']}/stream")
        until(lambda: "connected" in seen(page)["names"] or seen(page)["attempts"] > 1)
        if how == "cancelled":
            house.call("DELETE", f"/api/v1/workflow/tasks/{begun['task_id']}")
        house.model.release()
        until(lambda: seen(page)["gaveUp"], 20, "it gives up")
        assert seen(page)["names"].count("connected") <= 1 and seen(page)["attempts"] <= 7
        page.close()
