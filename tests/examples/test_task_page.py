"""The example that follows a task by EventSource, in Chromium, before a real llm_proxy."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, Route, expect

from tests.llm_proxy.workflows.conftest import House, running_house

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def house(html: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An llm_proxy that pages of the example's origin may call."""
    folder = tmp_path_factory.mktemp("house")
    with running_house(folder, TRIVET_ALLOWED_ORIGINS=html) as started:
        yield started


@pytest.fixture(autouse=True)
def _model_is_quick(house: House) -> Iterator[None]:
    yield
    house.model.release()
    house.model.pieces, house.model.seconds = 3, 0


def address(html: str, house: House, task_id: str) -> str:
    given = {"base": f"{house.urls[0]}/", "task": task_id, "first_pause_ms": "5"}
    return f"{html}/task.html?{urlencode(given)}"


def test_a_task_is_followed_from_its_words_to_its_end(page: Page, html: str, house: House) -> None:
    house.model.pieces, house.model.seconds = 20, 2
    page.goto(address(html, house, house.translate()))
    expect(page.get_by_role("status")).to_contain_text("running")
    expect(page.locator("pre")).to_contain_text("<title>Quiet")  # as the model writes it
    house.model.seconds = 0
    expect(page.locator("pre")).to_have_text("moon\n  frost (revised)")
    expect(page.get_by_role("status")).to_contain_text("completed")
    expect(page.locator("progress")).to_have_attribute("value", "100")


def test_a_task_that_came_to_nothing_says_why(page: Page, html: str, house: House) -> None:
    house.model.hold()
    task_id = house.translate()
    page.goto(address(html, house, task_id))
    expect(page.get_by_role("status")).to_contain_text("running")
    assert house.call("DELETE", f"/api/v1/workflow/tasks/{task_id}").status_code == 200
    expect(page.get_by_role("alert")).not_to_be_empty()
    expect(page.get_by_role("status")).to_contain_text("cancelled")


def test_a_server_that_is_away_for_a_while_is_asked_again(
    page: Page, html: str, house: House
) -> None:
    tries: list[str] = []

    def away_twice(route: Route) -> None:
        tries.append(route.request.url)
        if len(tries) <= 2:
            route.fulfill(status=502, body="{}")
        else:
            route.continue_()

    page.route("**/stream", away_twice)
    page.goto(address(html, house, house.translate()))
    expect(page.locator("pre")).to_have_text("moon\n  frost (revised)")
    assert len(tries) == 3


def test_a_server_that_stays_away_is_given_up(page: Page, html: str, house: House) -> None:
    tries: list[str] = []

    def away(route: Route) -> None:
        tries.append(route.request.url)
        route.fulfill(status=502, body="{}")

    page.route("**/stream", away)
    page.goto(address(html, house, "0" * 32))
    expect(page.get_by_role("alert")).to_have_text("The server cannot be reached.")
    assert len(tries) == 7
