"""The console's Knowledge page in Chromium, through the stack's own nginx."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.conftest import Site, Watch
from tests.web.library_data import CHUNKS, DOCUMENT_ID, DOCUMENTS, HALF_DONE, job, stock
from tests.web.looking import judge
from tests.web.test_console import log_in
from tests.web.upstream import error

pytestmark = pytest.mark.browser


def open_page(page: Page, site: Site, address: str = "knowledge") -> None:
    stock(site.upstream)
    page.goto(f"{site.url}console/#/{address}")
    log_in(page)
    expect(page.get_by_role("heading", name="Knowledge", level=1)).to_be_visible()


def test_documents_are_listed_and_filtered_by_their_source(page: Page, site: Site) -> None:
    open_page(page, site)
    expect(page.locator(".documents li")).to_have_count(5)
    expect(page.get_by_text("24 documents · 312 passages")).to_be_visible()
    expect(page.get_by_text("Cut by old rules")).to_have_count(1)
    page.get_by_label("Source begins with").fill("guide/zh/")
    site.upstream.answers["/api/documents"] = (200, {"items": [], "next_cursor": None})
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("No source begins with this.")).to_be_visible()
    assert "source=guide" in page.url
    page.go_back()
    expect(page.get_by_text("This collection is empty.")).to_be_visible()
    expect(page.get_by_role("link", name="Add documents")).to_be_visible()


def test_more_documents_join_those_that_are_shown(page: Page, site: Site) -> None:
    open_page(page, site)
    more = [{**DOCUMENTS[0], "id": "another", "title": "Another one"}]
    site.upstream.answers["/api/documents"] = (200, {"items": more, "next_cursor": None})
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".documents li")).to_have_count(6)
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)


def test_a_reading_that_failed_is_told_and_tried_again(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("status of 503")
    stock(site.upstream)
    site.upstream.answers["/api/documents"] = (503, error(503, "overloaded_error", "kb starts."))
    page.goto(f"{site.url}console/#/knowledge")
    log_in(page)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("overloaded or starting")
    judge(page, "failed")
    stock(site.upstream)
    alert.get_by_role("button", name="Try again").click()
    expect(page.locator(".documents li")).to_have_count(5)
    expect(alert).to_have_count(0)


def test_a_document_is_shown_as_it_was_cut_and_deleted_when_one_is_sure(
    page: Page, site: Site
) -> None:
    open_page(page, site)
    page.get_by_role("link", name="Back up and restore").click()
    expect(page.locator(".passage")).to_have_count(len(CHUNKS))
    second = page.locator(".passage").nth(1)
    expect(second).to_contain_text("Back up and restore › How do I back up Trivet?")
    expect(second).to_contain_text("#how-do-i-back-up-trivet")
    expect(page.get_by_text("Waits for its index")).to_have_count(1)
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Delete this document with its passages?")).to_be_visible()
    site.upstream.answers[f"DELETE /api/documents/{DOCUMENT_ID}1"] = (204, None)
    page.locator(".sure").get_by_role("button", name="Delete").click()
    expect(page.locator(".documents li")).to_have_count(5)
    assert site.upstream.changes[-1][:2] == ("DELETE", f"/api/documents/{DOCUMENT_ID}1")


def test_files_are_sent_and_their_errors_named(page: Page, site: Site) -> None:
    open_page(page, site, "knowledge/add")
    site.upstream.answers["POST /api/documents"] = (202, job("queued"))
    files = [
        {"name": name, "mimeType": "text/plain", "buffer": b"x"} for name in ("a.md", "scan.pdf")
    ]
    page.locator("input[type=file]").set_input_files(files)  # type: ignore[arg-type]
    page.get_by_role("button", name="Take out a.md").click()
    page.get_by_role("button", name="Add to the collection").click()
    stream = site.upstream.next_stream()
    stream.open(x_accel_buffering="no")
    stream.event(job("running"), "progress")
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "42")
    stream.event({**HALF_DONE, "id": "job-1"}, "done")
    stream.end()
    expect(page.get_by_text("The PDF holds no text: it may be a scan.")).to_be_visible()
    expect(page.get_by_text("Done in part")).to_be_visible()
    judge(page, "files with errors")
    sent = site.upstream.changes[-1][2]
    assert b"scan.pdf" in sent and b"a.md" not in sent and b'name="collection"' in sent
    site.upstream.answers["POST /api/jobs/job-1/retry"] = (202, job("running"))
    page.get_by_role("button", name="Try again what failed").click()
    again = site.upstream.next_stream()
    again.open(x_accel_buffering="no")
    again.event(job("done"), "done")
    again.end()
    expect(page.get_by_text("Done", exact=True)).to_have_count(2)


def test_a_jobs_stream_that_broke_is_followed_again_and_a_job_cancelled(
    page: Page, site: Site, watch: Watch
) -> None:
    stock(site.upstream)
    running = {"items": [job("running")], "next_cursor": None}
    site.upstream.answers["/api/jobs"] = (200, running)
    page.goto(f"{site.url}console/#/knowledge/add")
    log_in(page)
    first = site.upstream.next_stream()
    first.open(x_accel_buffering="no")
    first.event(job("running", progress=10), "progress")
    first.end()  # without an end of the job
    second = site.upstream.next_stream()
    second.open(x_accel_buffering="no")
    second.event(job("running", progress=77), "progress")
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "77")
    site.upstream.answers["POST /api/jobs/job-1/cancel"] = (200, job("cancelled"))
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled")).to_be_visible()


def test_addresses_are_checked_and_typed_text_outlives_the_page(page: Page, site: Site) -> None:
    open_page(page, site, "knowledge/add")
    field = page.get_by_label("Web addresses").last
    field.fill("https://example.com/a\nnonsense")
    page.get_by_role("button", name="Fetch").click()
    expect(page.get_by_text("This is no web address: nonsense")).to_be_visible()
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="Everything is running.")).to_be_visible()
    page.go_back()
    field = page.get_by_label("Web addresses").last
    expect(field).to_have_value("https://example.com/a\nnonsense")
    field.fill("https://example.com/a\nhttps://example.com/b")
    site.upstream.answers["POST /api/documents"] = (202, job("done", id="job-7"))
    page.get_by_role("button", name="Fetch").click()
    expect(field).to_have_value("")
    body = site.upstream.changes[-1][2]
    assert body["urls"] == ["https://example.com/a", "https://example.com/b"]


def test_one_question_is_ranked_in_three_ways_and_becomes_a_golden_query(
    page: Page, site: Site
) -> None:
    open_page(page, site, "knowledge/tester")
    page.get_by_label("Question").fill("how to back up")
    page.keyboard.press("Enter")
    rows = page.locator(".hit")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("Meaning: place 2")
    expect(rows.nth(1)).to_contain_text("Words: not among the first ten")
    page.get_by_role("button", name="Right: Back up and restore › How").click()
    line = page.locator("pre").inner_text()
    source = "guide/en/backup.md#how-do-i-back-up-trivet"
    assert json.loads(line) == {"query": "how to back up", "relevant": [source]}
    page.get_by_role("button", name="Evaluate it").click()
    expect(page.get_by_label("Golden queries")).to_have_value(f"{line}\n")
    page.go_back()
    expect(rows).to_have_count(3)  # the question stands in the address


def test_nothing_found_says_what_to_do(page: Page, site: Site) -> None:
    open_page(page, site, "knowledge/tester?q=zebra")
    expect(page.get_by_text("No way of searching finds anything.")).to_be_visible()
    judge(page, "nothing found")


def test_evaluations_are_run_and_shown_beside_the_one_before(page: Page, site: Site) -> None:
    open_page(page, site, "knowledge/evaluations")
    expect(page.locator(".run")).to_have_count(3)
    expect(page.locator(".run").first).to_contain_text("0.07 better than before")
    expect(page.locator(".run").nth(2).locator(".change")).to_have_count(0)
    page.get_by_label("Golden queries").fill('{"query": "a", "relevant": ["x.md"]}\nnonsense')
    page.get_by_role("button", name="Evaluate").click()
    expect(page.get_by_text("Line 2 is no golden query.")).to_be_visible()
    page.get_by_label("Golden queries").fill('{"query": "a", "relevant": ["x.md"]}')
    site.upstream.answers["POST /api/evaluate"] = (200, {"id": "r4"})
    page.get_by_role("button", name="Evaluate").click()
    expect(page.get_by_role("button", name="Evaluate")).to_have_attribute("aria-disabled", "false")
    body = site.upstream.changes[-1][2]
    assert body["queries"] == [{"query": "a", "relevant": ["x.md"]}]
    assert body["mode"] == "hybrid"


def test_collections_are_made_opened_and_deleted(page: Page, site: Site, watch: Watch) -> None:
    watch.allow("status of 409")
    open_page(page, site, "knowledge/collections")
    expect(page.get_by_text("Its vectors are of another model.")).to_be_visible()
    page.get_by_label("Name").fill("Bad Name")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_text("only, up to 63")).to_be_visible()
    page.get_by_label("Name").fill("news")
    taken = error(409, "conflict_error", "There is a collection of this name.")
    site.upstream.answers["POST /api/collections"] = (409, taken)
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("alert").last).to_contain_text("clashes")
    expect(page.get_by_label("Name")).to_have_value("news")
    manuals = page.locator(".list li").nth(2)
    manuals.get_by_role("button", name="Delete").click()
    site.upstream.answers["DELETE /api/collections/manuals"] = (204, None)
    manuals.get_by_role("button", name="Delete").click()
    expect(manuals.get_by_role("button", name="Rebuild the index")).to_be_visible()
    assert site.upstream.changes[-1][:2] == ("DELETE", "/api/collections/manuals")


def test_a_log_in_that_ran_out_is_asked_above_what_was_typed(
    page: Page, context: BrowserContext, site: Site, watch: Watch
) -> None:
    watch.allow("status of 401")
    open_page(page, site, "knowledge/evaluations")
    line = '{"query": "a", "relevant": ["x.md"]}'
    page.get_by_label("Golden queries").fill(line)
    context.clear_cookies()
    page.get_by_role("button", name="Evaluate").click()
    expect(page.get_by_text("The login has ended. Log in")).to_be_visible()
    log_in(page)
    expect(page.get_by_label("Golden queries")).to_have_value(line)


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("documents", ".documents li"),
        (f"documents/{DOCUMENT_ID}1", ".passage"),
        ("add", "trivet-job"),
        ("tester?q=back", ".hit"),
        ("evaluations", ".run"),
        ("collections", ".list li"),
    ],
)
def test_every_part_can_be_used_by_everyone_on_every_screen(
    page: Page, site: Site, address: str, part: str
) -> None:
    open_page(page, site, f"knowledge/{address}")
    page.locator(part).first.wait_for()
    judge(page)
