"""The console's figures in Chromium, through the stack's own nginx."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.web import analytics_data as data
from tests.web.conftest import Site, Watch
from tests.web.looking import judge
from tests.web.test_console import log_in
from tests.web.upstream import Chat, error

pytestmark = pytest.mark.browser
STARTING = (503, error(503, "overloaded_error", "Starting."))
PARTS = ["", "/questions", "/models", "/live", "/records"]


def open_page(page: Page, site: Site, address: str = "") -> None:
    data.stock(site.upstream)
    page.goto(f"{site.url}console/#/analytics{address}")
    log_in(page)
    expect(page.get_by_role("heading", name="Analytics", level=1)).to_be_visible()


def watched(site: Site) -> Chat:
    """The live view's connection, as the service opens it."""
    stream = site.upstream.next_stream()
    stream.open()
    stream.send(b": watching\n\n")
    return stream


def asks(**expected: str) -> Callable[[Request], bool]:
    """A request for the statistics with these parameters."""

    def fits(request: Request) -> bool:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        return data.STATISTICS in request.url and asked.items() >= expected.items()

    return fits


def test_a_range_is_told_in_tiles_and_charts_and_a_table(page: Page, site: Site) -> None:
    open_page(page, site)
    tiles = page.locator(".tiles")
    expect(tiles).to_contain_text("1,094,460")
    expect(tiles).to_contain_text("95 of 100 within 2.1s")
    expect(tiles).to_contain_text("965.7K in, 128.8K out")
    expect(page.locator("trivet-chart")).to_have_count(7)
    expect(page.locator("trivet-chart").first.locator("rect")).to_have_count(30)
    page.get_by_text("All figures as a table").click()
    expect(page.get_by_role("rowheader", name="Jan 30, 2026")).to_be_visible()


@pytest.mark.parametrize("width", [360, 700, 1000, 1440])
def test_no_tile_is_left_alone_in_its_row(page: Page, site: Site, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    open_page(page, site)
    expect(page.locator(".tiles > div")).to_have_count(12)
    boxes = map(Locator.bounding_box, page.locator(".tiles > div").all())
    tops = [box["y"] for box in boxes if box]
    rows = {top: tops.count(top) for top in tops}
    assert len(set(rows.values())) == 1, rows


def test_a_chart_is_read_by_the_arrow_keys(page: Page, site: Site) -> None:
    open_page(page, site)
    chart = page.get_by_role("slider", name="Questions. 1,073 in all")
    chart.focus()
    expect(chart).to_have_attribute("aria-valuetext", "Jan 30: 45")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(chart).to_have_attribute("aria-valuetext", "Jan 29: 38")
    page.keyboard.press("Home")
    expect(chart).to_have_attribute("aria-valuetext", "Jan 1: 34")
    expect(page.locator("trivet-chart").first.locator(".told")).to_have_text("Jan 1 34")


def test_range_and_zone_stand_in_the_address_and_go_along(page: Page, site: Site) -> None:
    open_page(page, site, "?days=7&by=hour")
    expect(page.get_by_label("By", exact=True)).to_have_value("hour")
    with page.expect_request(asks(days="7", group_by="hour", tz="Asia/Katmandu")):
        page.get_by_label("Time zone").select_option("Asia/Katmandu")
    with page.expect_request(asks(days="90", group_by="day", tz="Asia/Katmandu")):
        page.get_by_label("Range").select_option("90")
    with page.expect_request(asks(days="90", group_by="month")):
        page.get_by_label("By", exact=True).select_option("month")
    assert page.url.endswith("#/analytics?days=90&by=month&tz=Asia%2FKatmandu")
    page.get_by_role("link", name="Models").click()
    assert page.url.endswith("#/analytics/models?days=90&by=month&tz=Asia%2FKatmandu")
    expect(page.get_by_role("heading", name="By provider and model")).to_be_visible()
    page.go_back()
    page.go_back()
    expect(page.get_by_label("By", exact=True)).to_have_value("day")
    page.reload()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Katmandu")


def test_questions_are_told_with_those_that_were_not_answered(page: Page, site: Site) -> None:
    open_page(page, site, "/questions")
    top = page.get_by_role("region", name="Asked most")
    expect(top.get_by_role("listitem").nth(1)).to_contain_text("可以寄到挪威吗？")
    expect(top.get_by_role("listitem").nth(1)).to_contain_text("No hit 31")
    expect(top.get_by_role("link", name="发票怎么开")).to_have_attribute(
        "href", "#/conversations?text=%E5%8F%91%E7%A5%A8%E6%80%8E%E4%B9%88%E5%BC%80"
    )
    without = page.get_by_role("region", name="Without an answer")
    expect(without.get_by_role("link", name="Answer this: 可以寄到挪威吗？")).to_have_attribute(
        "href", "#/gaps/4"
    )
    expect(without.get_by_text("Answered", exact=True)).to_be_visible()
    with page.expect_request(f"**{data.UNANSWERED}?reason=low_score&days=30&**"):
        without.get_by_role("button", name="Found little").click()
    expect(without.get_by_role("button", name="Found little")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_subjects_are_told_with_their_share_and_course(page: Page, site: Site) -> None:
    open_page(page, site, "/questions")
    row = page.get_by_role("row", name="Installing and setting up")
    expect(row).to_contain_text("402")
    expect(row).to_contain_text("42%")
    expect(row.locator("polyline")).to_have_count(1)
    expect(page.get_by_role("rowheader", name="spare parts")).to_be_visible()


def test_models_are_told_with_times_ends_and_errors(page: Page, site: Site) -> None:
    open_page(page, site, "/models")
    row = page.get_by_role("row", name="local/smollm2-135m")
    for figure in ("0.9s", "2.4s", "4.1s", "6.2s", "14.5s", "21s"):
        expect(row.get_by_role("cell", name=figure, exact=True)).to_be_visible()
    expect(row).to_contain_text("640 calls for embeddings")
    expect(page.get_by_role("row", name="doubao, all models")).to_contain_text("850")
    ends = page.get_by_role("region", name="How answers ended")
    expect(ends).to_contain_text("Visitor left 24")
    expect(ends.get_by_role("link", name="Visitor left")).to_have_attribute(
        "href", "#/conversations?ending=client_disconnect"
    )
    errors = page.get_by_role("region", name="Errors by kind")
    expect(errors).to_contain_text("timeout_error 0.8% of questions")
    expect(errors).to_contain_text("A model took too long.")


def test_records_are_watched_as_they_arrive(page: Page, site: Site) -> None:
    open_page(page, site, "/live")
    expect(page.get_by_text("Nothing yet.")).to_be_visible()
    stream = watched(site)
    expect(page.locator(".state", has_text="Watching")).to_be_visible()
    stream.event(data.record(1), "record")
    stream.event(data.record(2, status=504, error_type="timeout_error"), "record")
    stream.event({"missed": 3}, "missed")
    lines = page.locator(".log li")
    expect(lines.first).to_contain_text("Question 2")
    expect(lines.first).to_contain_text("504 timeout_error")
    expect(lines.nth(1)).to_contain_text("local/smollm2-135m")
    expect(lines.nth(1).get_by_role("link")).to_have_attribute("href", "#/conversations/s-1")
    expect(page.get_by_text("3 records came too fast")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    stream.event(data.record(3), "record")
    expect(page.get_by_role("button", name="Go on, 1 new")).to_be_visible()
    expect(lines.first).to_contain_text("Question 2")
    page.get_by_role("button", name="Go on, 1 new").click()
    expect(lines.first).to_contain_text("Question 3")
    page.get_by_role("button", name="Clear").click()
    expect(lines).to_have_count(0)


def test_what_is_watched_is_bounded(page: Page, site: Site) -> None:
    open_page(page, site, "/live")
    stream = watched(site)
    for number in range(230):
        stream.event(data.record(number), "record")
    expect(page.locator(".log li").first).to_contain_text("Question 229")
    expect(page.locator(".log li")).to_have_count(200)


def test_watching_ends_when_it_is_left_and_is_made_again_when_it_breaks(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("ERR_INCOMPLETE_CHUNKED_ENCODING")
    open_page(page, site, "/live")
    watched(site).end()
    expect(page.locator(".state", has_text="Connection lost")).to_be_visible()
    again = watched(site)
    expect(page.locator(".state", has_text="Watching")).to_be_visible()
    page.get_by_label("Kind").select_option("search")
    assert again.disconnected.wait(10)
    chosen = watched(site)
    expect(page.locator(".state", has_text="Watching")).to_be_visible()
    page.get_by_role("link", name="Figures").click()
    assert chosen.disconnected.wait(10)


def test_the_export_is_of_what_the_page_shows(page: Page, site: Site) -> None:
    open_page(page, site, "/records?days=30&tz=Asia/Shanghai")
    expect(page.get_by_text("Records from Jan 1, 2026 to Jan 30, 2026")).to_be_visible()
    page.get_by_label("Kind").select_option("chat")
    for name, form in (("Download CSV", "csv"), ("Download JSON lines", "jsonl")):
        expect(page.get_by_role("link", name=name)).to_have_attribute(
            "href",
            f"{site.url}api/analytics/export?format={form}&date_from=2025-12-31T16%3A00%3A00Z"
            "&date_to=2026-01-30T16%3A00%3A00Z&kind=chat",
        )


def test_a_cleanup_shows_what_would_go_and_wants_a_word_before_it_goes(
    page: Page, site: Site
) -> None:
    open_page(page, site, "/records")
    days = page.get_by_label("Older than, in days")
    days.fill("soon")
    page.get_by_role("button", name="Show what would go").click()
    expect(page.get_by_text("A whole number of days")).to_be_visible()
    days.fill("200")
    page.get_by_role("button", name="Show what would go").click()
    expect(page.get_by_text("would go: 48,210")).to_be_visible()
    expect(page.get_by_text("These totals of all time stay:")).to_be_visible()
    go = page.get_by_role("button", name="Delete 48,210 records")
    expect(go).to_be_disabled()
    page.get_by_label("To delete them, type").fill("delete")
    go.click()
    expect(page.get_by_text("48,210 records are deleted, and 24.6 MB")).to_be_visible()
    bodies = [body for _, path, body in site.upstream.changes if path == data.CLEANUP]
    assert bodies == [
        {"older_than_days": 200, "dry_run": True},
        {"older_than_days": 200, "dry_run": False},
    ]


def test_other_days_are_counted_anew_before_anything_goes(page: Page, site: Site) -> None:
    open_page(page, site, "/records")
    page.get_by_role("button", name="Show what would go").click()
    page.get_by_label("To delete them, type").fill("delete")
    page.get_by_label("Older than, in days").fill("400")
    expect(page.get_by_role("button", name="Delete 48,210 records")).to_have_count(0)
    page.get_by_role("button", name="Show what would go").click()
    expect(page.get_by_text("Nothing would go.")).to_be_visible()
    page.get_by_role("link", name="Figures").click()
    page.get_by_role("link", name="Records").click()
    expect(page.get_by_label("Older than, in days")).to_have_value("400")


def test_a_cleanup_that_is_refused_is_told_and_keeps_what_was_typed(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("status of 409")
    open_page(page, site, "/records")
    busy = (409, error(409, "conflict_error", "A cleanup is running already."))
    site.upstream.answers[f"POST {data.CLEANUP}"] = busy
    page.get_by_label("Older than, in days").fill("90")
    page.get_by_role("button", name="Show what would go").click()
    expect(page.get_by_role("alert").filter(has_text="clashes")).to_be_visible()
    expect(page.get_by_label("Older than, in days")).to_have_value("90")


def test_a_range_without_questions_says_what_to_do(page: Page, site: Site) -> None:
    open_page(page, site)
    site.upstream.answers[data.STATISTICS] = (200, data.QUIET)
    page.get_by_label("Range").select_option("7")
    expect(page.get_by_text("Nothing was asked in this range.")).to_be_visible()
    judge(page, "empty")
    page.get_by_role("link", name="Records").click()
    expect(page.get_by_role("link", name="Download CSV")).to_be_visible()


def test_a_failure_is_told_and_tried_again(page: Page, site: Site, watch: Watch) -> None:
    watch.allow("status of 503")
    open_page(page, site)
    site.upstream.answers[data.STATISTICS] = STARTING
    page.get_by_label("Range").select_option("7")
    expect(page.get_by_role("alert")).to_contain_text("overloaded or starting")
    judge(page, "failed")
    site.upstream.answers[data.STATISTICS] = (200, data.REPORT)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("trivet-chart")).to_have_count(7)


def test_a_part_that_fails_leaves_the_others(page: Page, site: Site, watch: Watch) -> None:
    watch.allow("status of 503")
    data.stock(site.upstream)
    site.upstream.answers[data.INTENTS] = STARTING
    page.goto(f"{site.url}console/#/analytics/questions")
    log_in(page)
    expect(page.get_by_role("alert")).to_contain_text("overloaded or starting")
    expect(page.get_by_text("How do I back up Trivet?")).to_be_visible()
    expect(page.get_by_role("link", name="Answer this: 可以寄到挪威吗？")).to_be_visible()


@pytest.mark.parametrize("part", PARTS)
def test_it_can_be_used_by_everyone_on_every_screen(page: Page, site: Site, part: str) -> None:
    open_page(page, site, part)
    _fill(page, site, part)
    judge(page)


@pytest.mark.parametrize("width", [360, 1440])
def test_the_tab_of_each_part_is_in_view_in_both_languages(
    page: Page, site: Site, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    open_page(page, site)
    for _ in range(2):
        for part in PARTS:
            page.goto(f"{site.url}console/#/analytics{part}")
            _fill(page, site, part)
            tab = page.locator(".tabs [aria-current=page]").bounding_box()
            assert tab is not None
            assert tab["x"] + tab["width"] <= width, part
        page.locator("button[lang]").first.dispatch_event("click")


def _fill(page: Page, site: Site, part: str) -> None:
    """Brings a part into the state in which there is most to see."""
    if part == "":
        page.locator("summary").first.click()
    elif part == "/live":
        watched(site).event(data.record(1, status=502, error_type="proxy_error"), "record")
        page.locator(".log li").wait_for()
    elif part == "/records":
        page.locator("trivet-cleaning form button").click()
        page.locator("#word").wait_for()
    else:
        page.locator("table").first.wait_for()
