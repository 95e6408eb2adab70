"""The console's studio in Chromium, through the stack's own nginx."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.conftest import Site, Watch
from tests.web.looking import judge
from tests.web.poem_data import POEM_ID, POEMS, TASK_ID, TRANSLATIONS, session, stock, task
from tests.web.test_console import log_in
from tests.web.upstream import Chat, error

pytestmark = pytest.mark.browser
AT = f"/api/v1/poems/{POEM_ID}"


def open_page(page: Page, site: Site, address: str = "studio") -> None:
    stock(site.upstream)
    page.goto(f"{site.url}console/#/{address}")
    log_in(page)


def tell(stream: Chat, name: str, payload: dict[str, Any], place: int) -> None:
    """An event of a task, with its place in the task's history as its id."""
    stream.send(f"id: {place}\n".encode())
    stream.event({"event": name, **payload}, name)


def test_poems_are_listed_searched_and_opened(page: Page, site: Site) -> None:
    open_page(page, site)
    expect(page.locator(".poems li")).to_have_count(3)
    expect(page.get_by_text("2 translations")).to_be_visible()
    site.upstream.answers["/api/v1/poems"] = (200, [])
    page.get_by_label("Title, author or a line").fill("nothing like it")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No poem matches.")).to_be_visible()
    stock(site.upstream)
    page.get_by_role("link", name="All poems").click()
    page.get_by_role("link", name="静夜思").click()
    expect(page.get_by_role("heading", name="静夜思", level=1)).to_be_visible()


def test_an_empty_library_says_what_to_do(page: Page, site: Site) -> None:
    stock(site.upstream)
    site.upstream.answers["/api/v1/poems"] = (200, [])
    page.goto(f"{site.url}console/#/studio")
    log_in(page)
    expect(page.get_by_text("The library is empty.")).to_be_visible()
    judge(page, "empty")
    expect(page.get_by_role("link", name="New poem")).to_have_count(2)


def test_a_poem_is_put_in_and_nothing_typed_is_lost(page: Page, site: Site, watch: Watch) -> None:
    watch.allow("status of 422")
    open_page(page, site, "studio/new")
    page.get_by_label("Title").fill("静夜思")
    page.get_by_label("Language (zh, en-GB)").fill("Chine")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("This is needed.")).to_have_count(2)
    expect(page.get_by_text("Two small letters")).to_be_visible()
    expect(page.get_by_label("Author")).to_be_focused()
    page.get_by_label("Author").fill("李白")
    page.get_by_label("Language (zh, en-GB)").fill("zh")
    page.get_by_label("The poem").fill("床前明月光，\n疑是地上霜。")
    page.reload()
    expect(page.get_by_label("The poem")).to_have_value("床前明月光，\n疑是地上霜。")
    refused = error(422, "invalid_request_error", "title: too long.")
    site.upstream.answers["POST /api/v1/poems"] = (422, refused)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("could not accept")
    site.upstream.answers["POST /api/v1/poems"] = (201, POEMS[0])
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="静夜思", level=1)).to_be_visible()
    assert site.upstream.changes[-1][2]["original_text"] == "床前明月光，\n疑是地上霜。"
    page.goto(f"{site.url}console/#/studio/new")
    expect(page.get_by_label("Title")).to_have_value("")


def test_a_poem_is_changed(page: Page, site: Site) -> None:
    open_page(page, site, f"studio/poems/{POEM_ID}/edit")
    expect(page.get_by_label("The poem")).to_have_value(str(POEMS[0]["original_text"]))
    page.get_by_label("Title").fill("静夜思 其一")
    site.upstream.answers[f"PATCH {AT}"] = (200, POEMS[0])
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="静夜思", level=1)).to_be_visible()
    assert site.upstream.changes[-1][2]["title"] == "静夜思 其一"


def test_original_and_two_translations_stand_side_by_side(page: Page, site: Site) -> None:
    open_page(page, site, f"studio/poems/{POEM_ID}")
    expect(page.locator(".verse")).to_have_count(2)
    page.get_by_label("Compared with").select_option("translation-1")
    expect(page.locator(".verse")).to_have_count(3)
    assert "with=translation-1" in page.url
    page.reload()
    expect(page.locator(".verse")).to_have_count(3)
    boxes = [page.locator(".side").nth(place).bounding_box() for place in range(3)]
    assert len({round(box["y"]) for box in boxes if box}) == 1


def test_a_translation_is_rated_noted_and_deleted(page: Page, site: Site, watch: Watch) -> None:
    watch.allow("status of 503")
    open_page(page, site, f"studio/poems/{POEM_ID}")
    expect(page.get_by_text("7 of 10")).to_be_visible()
    path = f"PATCH {AT}/translations/translation-2"
    site.upstream.answers[path] = (200, {**TRANSLATIONS[0], "quality_rating": 9})
    page.get_by_role("radio", name="9", exact=True).check(force=True)
    expect(page.get_by_text("9 of 10")).to_be_visible()
    assert site.upstream.changes[-1][2] == {"quality_rating": 9}
    site.upstream.answers[path] = (200, {**TRANSLATIONS[0], "quality_rating": None})
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("Not rated yet")).to_be_visible()
    assert site.upstream.changes[-1][2] == {"quality_rating": None}
    site.upstream.answers[path] = (503, error(503, "overloaded_error", "kb starts."))
    page.get_by_label("Notes").fill("Better now.")
    page.get_by_role("button", name="Save the notes").click()
    expect(page.get_by_role("alert").filter(has_text="overloaded")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Notes")).to_have_value("Better now.")
    page.locator("trivet-translation").get_by_role("button", name="Delete").click()
    site.upstream.answers[f"DELETE {AT}/translations/translation-2"] = (204, None)
    page.get_by_role("group", name="Delete this translation?").get_by_role("button").first.click()
    expect(page.get_by_text("Bright moonlight at my bedside")).to_be_visible()


def test_a_poem_is_exported_as_markdown(page: Page, site: Site) -> None:
    open_page(page, site, f"studio/poems/{POEM_ID}")
    expect(page.locator(".verse")).to_have_count(2)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export as Markdown").click()
    assert waiting.value.suggested_filename == "李白 静夜思.md"
    text = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert text.startswith("# 静夜思\n\n*李白* (zh)\n\n床前明月光，\\\n疑是地上霜。\\\n")
    assert "## Quiet Night (en)\n\n*A. Reader*" in text


def test_a_translation_is_watched_as_it_is_written(page: Page, site: Site) -> None:
    open_page(page, site, f"studio/poems/{POEM_ID}")
    begun = {"task_id": TASK_ID, "status": "pending", "poem_id": POEM_ID, "target_lang": "en"}
    site.upstream.answers["POST /api/v1/workflow/translate"] = (200, begun)
    page.get_by_role("button", name="Begin").click()
    stream = site.upstream.next_stream()
    assert site.upstream.changes[-1][2]["workflow_mode"] == "hybrid"
    stream.open(x_accel_buffering="no")
    words = {"step": "initial_translation", "attempt": 1}
    tell(stream, "connected", task("running", 0), 1)
    tell(stream, "token", {**task("running", 0), **words, "text": "Before my bed "}, 2)
    expect(page.locator(".text")).to_have_text("Before my bed ")
    tell(stream, "token", {**task("running", 0), **words, "text": "the moon"}, 3)
    expect(page.locator(".text")).to_have_text("Before my bed the moon")
    stream.end()  # the connection breaks
    again = site.upstream.next_stream()
    assert again.headers["last-event-id"] == "3"
    again.open(x_accel_buffering="no")
    tell(again, "step_change", task("running", 1), 4)
    expect(page.get_by_text("640 tokens · $0.0014")).to_be_visible()
    expect(page.locator(".text")).to_have_text("Before my bed the moon")
    tell(again, "completed", task("completed", 3), 5)
    again.end()
    expect(page.locator(".title").get_by_text("Done")).to_be_visible()
    expect(page.locator(".sums")).to_contain_text("1,920")
    page.get_by_role("link", name="See the result").click()
    expect(page.get_by_role("heading", name="静夜思", level=1)).to_be_visible()


def test_a_step_that_is_tried_anew_begins_its_text_anew(page: Page, site: Site) -> None:
    open_page(page, site, f"studio/runs/{TASK_ID}")
    stream = site.upstream.next_stream()
    stream.open(x_accel_buffering="no")
    words = {**task("running", 0), "step": "initial_translation"}
    tell(stream, "token", {**words, "attempt": 1, "text": "A false start"}, 1)
    tell(stream, "token", {**words, "attempt": 2, "text": "A true one"}, 2)
    expect(page.locator(".text")).to_have_text("A true one")
    stream.end()
    site.upstream.next_stream().end()


def test_a_run_is_cancelled(page: Page, site: Site) -> None:
    open_page(page, site, f"studio/runs/{TASK_ID}")
    stream = site.upstream.next_stream()
    stream.open(x_accel_buffering="no")
    tell(stream, "connected", task("running", 1), 1)
    path = f"DELETE /api/v1/workflow/tasks/{TASK_ID}"
    site.upstream.answers[path] = (200, {"status": "cancelled"})
    page.get_by_role("button", name="Cancel this run").click()
    tell(stream, "cancelled", task("cancelled", 1), 2)
    stream.end()
    expect(page.locator(".title").get_by_text("Cancelled")).to_be_visible()
    expect(page.get_by_role("link", name="Begin again")).to_be_visible()


def test_a_run_that_failed_goes_on_from_its_last_finished_step(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("status of 409")
    open_page(page, site, f"studio/runs/{TASK_ID}")
    stream = site.upstream.next_stream()
    stream.open(x_accel_buffering="no")
    failed = {**task("failed", 1), "error": {"message": "The model is away."}}
    tell(stream, "failed", failed, 9)
    stream.end()
    expect(page.get_by_role("alert")).to_contain_text("The model is away.")
    judge(page, "a failed run")
    path = f"POST /api/v1/workflow/tasks/{TASK_ID}/retry"
    site.upstream.answers[path] = (409, {"error": {"type": "conflict_error", "message": "no"}})
    page.get_by_role("button", name="Go on from the last finished step").click()
    expect(page.get_by_role("alert")).to_have_count(2)
    site.upstream.answers[path] = (200, task("pending", 1))
    page.get_by_role("button", name="Go on from the last finished step").click()
    again = site.upstream.next_stream()
    again.open(x_accel_buffering="no")
    tell(again, "connected", task("running", 1), 9)
    tell(again, "completed", task("completed", 3), 12)
    again.end()
    expect(page.get_by_role("link", name="See the result")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_run_that_is_not_known_is_told(page: Page, site: Site, watch: Watch) -> None:
    watch.allow("status of 404")
    open_page(page, site, "studio/runs/nobody")
    site.upstream.next_stream().fail(404, "not_found_error", "There is no such task.")
    expect(page.get_by_role("alert")).to_contain_text("was not found")
    judge(page, "no such run")


def test_work_by_hand_goes_from_prompt_to_prompt(
    page: Page, context: BrowserContext, site: Site, watch: Watch
) -> None:
    watch.allow("status of 422")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_page(page, site, f"studio/by-hand/{TASK_ID}")
    page.get_by_role("button", name="Copy the prompt").click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("Step 1. Translate")
    answer = page.get_by_label("Paste the answer")
    answer.fill("<translation>Before my bed")
    path = f"POST /api/v1/manual/sessions/{TASK_ID}/steps/initial_translation"
    refused = error(422, "invalid_request_error", "content: the tag translation is not closed.")
    site.upstream.answers[path] = (422, refused)
    page.get_by_role("button", name="Next step").click()
    expect(page.get_by_text("the tag translation is not closed.")).to_be_visible()
    page.reload()
    expect(answer).to_have_value("<translation>Before my bed")
    page.get_by_label("Which model wrote it").fill("a model")
    site.upstream.answers[path] = (200, session(1))
    page.get_by_role("button", name="Next step").click()
    expect(page.get_by_text("Step 2. Translate this poem:")).to_be_visible()
    expect(answer).to_have_value("")
    assert site.upstream.changes[-1][2]["model_name"] == "a model"
    last = f"POST /api/v1/manual/sessions/{TASK_ID}/steps/editor_review"
    site.upstream.answers[last] = (200, session(3))
    answer.fill("Good.")
    page.get_by_role("button", name="Next step").click()
    expect(page.get_by_text("The translation is done.")).to_be_visible()


def test_a_briefing_is_read_and_made_anew(page: Page, site: Site) -> None:
    open_page(page, site, f"studio/poems/{POEM_ID}")
    expect(page.get_by_text("Time and culture")).to_be_visible()
    making = {"status": "generating", "poem_id": POEM_ID, "bbr_id": None, "task_id": TASK_ID}
    site.upstream.answers["POST /api/v1/bbr/generate"] = (200, making)
    page.get_by_role("button", name="Make it anew").click()
    stream = site.upstream.next_stream()
    stream.open(x_accel_buffering="no")
    tell(stream, "connected", {**task("running", 0), "workflow": "briefing"}, 1)
    expect(page.get_by_role("heading", name="Briefing", level=1)).to_be_visible()
    assert site.upstream.changes[-1][2]["force_regenerate"] is True
    tell(stream, "completed", {**task("completed", 3), "workflow": "briefing"}, 2)
    stream.end()
    expect(page.get_by_role("link", name="See the result")).to_be_visible()


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("", ".poems li"),
        ("new", "form textarea"),
        (f"poems/{POEM_ID}?with=translation-1", ".brief"),
        (f"by-hand/{TASK_ID}", "pre"),
    ],
)
def test_it_can_be_used_by_everyone_on_every_screen(
    page: Page, site: Site, address: str, part: str
) -> None:
    open_page(page, site, f"studio/{address}")
    page.locator(part).first.wait_for()
    judge(page)


def test_a_run_can_be_watched_by_everyone_on_every_screen(page: Page, site: Site) -> None:
    open_page(page, site, f"studio/runs/{TASK_ID}")
    stream = site.upstream.next_stream()
    stream.open(x_accel_buffering="no")
    words = {**task("running", 1), "step": "editor_review", "attempt": 1, "text": "Well. " * 40}
    tell(stream, "token", words, 1)
    page.locator(".text").wait_for()
    judge(page)
    tell(stream, "completed", task("completed", 3), 2)
    stream.end()
