"""The console's shell in Chromium, through the stack's own nginx."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.conftest import Site, Watch
from tests.web.looking import judge
from tests.web.upstream import COOKIE, TOKEN, error, ready

pytestmark = pytest.mark.browser

REFUSED = "status of 401"


def log_in(page: Page, token: str = TOKEN) -> None:
    page.get_by_label("Administrator's token").fill(token)
    page.keyboard.press("Enter")


def open_console(page: Page, site: Site, address: str = "") -> None:
    page.goto(f"{site.url}console/{address}")
    log_in(page)
    expect(page.get_by_role("heading", name="Everything is running.")).to_be_visible()


@pytest.mark.parametrize("site", ["/", "/~temp/mogine_agent/"], indirect=True)
def test_the_token_opens_the_overview_under_every_prefix(
    page: Page, context: BrowserContext, site: Site
) -> None:
    page.goto(f"{site.url}console/")
    expect(page.get_by_role("heading", name="Trivet console")).to_be_visible()
    assert site.upstream.requests == []  # a stranger's page asks for nothing
    log_in(page)
    expect(page.get_by_role("heading", name="Everything is running.")).to_be_visible()
    expect(page.get_by_text("Running", exact=True)).to_have_count(3)
    expect(page.get_by_text("0 events wait")).to_have_count(3)
    expect(page.locator(".tiles")).to_contain_text("128")
    expect(page.locator(".tiles")).to_contain_text("$0.42")
    expect(page.get_by_text("Set DOUBAO_API_KEY")).to_be_visible()
    assert page.title() == "Overview · Trivet console"


def test_the_token_stays_nowhere_on_the_page(
    page: Page, context: BrowserContext, site: Site
) -> None:
    open_console(page, site)
    cookie = next(c for c in context.cookies() if c.get("name") == COOKIE)
    assert cookie.get("httpOnly") is True
    assert cookie.get("sameSite") == "Strict"
    kept = "() => document.cookie + JSON.stringify({...localStorage, ...sessionStorage})"
    assert TOKEN not in page.evaluate(kept)
    assert TOKEN not in page.url
    assert TOKEN not in page.content()


def test_a_wrong_token_is_told_in_words(page: Page, site: Site, watch: Watch) -> None:
    watch.allow(REFUSED)
    page.goto(f"{site.url}console/")
    log_in(page, "not-the-token")
    expect(page.get_by_role("alert")).to_contain_text("This is not the administrator's token.")
    log_in(page)
    expect(page.get_by_role("heading", name="Everything is running.")).to_be_visible()


def test_a_reload_stays_logged_in_and_a_log_out_does_not(page: Page, site: Site) -> None:
    open_console(page, site)
    page.reload()
    expect(page.get_by_role("heading", name="Everything is running.")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Administrator's token")).to_be_focused()
    page.reload()
    expect(page.get_by_label("Administrator's token")).to_be_visible()


def test_a_session_that_ended_asks_again_and_keeps_the_address(
    page: Page, context: BrowserContext, site: Site, watch: Watch
) -> None:
    watch.allow(REFUSED)
    open_console(page, site, "#/?from=a-link")
    context.clear_cookies()
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("The login has ended.")).to_be_visible()
    expect(page.locator(".frame")).to_have_attribute("inert", "")
    log_in(page)
    expect(page.get_by_text("The login has ended.")).to_have_count(0)
    expect(page.get_by_role("heading", name="Everything is running.")).to_be_visible()
    assert page.url.endswith("#/?from=a-link")


def test_an_old_session_meets_the_log_in_and_then_its_address(
    page: Page, context: BrowserContext, site: Site, watch: Watch
) -> None:
    watch.allow(REFUSED)
    open_console(page, site)
    context.clear_cookies()
    page.goto(f"{site.url}console/#/nowhere")
    page.reload()
    log_in(page)
    expect(page.get_by_text("There is no such page.")).to_be_visible()
    page.get_by_role("link", name="To the overview").click()
    expect(page.get_by_role("heading", name="Everything is running.")).to_be_visible()


def test_what_fails_is_counted_named_and_explained(page: Page, site: Site, watch: Watch) -> None:
    watch.allow("status of 503")
    body = ready("kb", database="")
    body["status"] = "unavailable"
    body["checks"] = {"vector_index": {"ok": False, "detail": "away"}}
    site.upstream.answers["/readyz"] = (503, body)
    page.goto(f"{site.url}console/")
    log_in(page)
    expect(page.get_by_role("heading", name="3 things need attention.")).to_be_visible()
    expect(page.get_by_text("Not available")).to_have_count(3)
    expect(page.get_by_text("Vector index failing away").first).to_be_visible()
    expect(page.get_by_text("pm2 restart trivet-chroma").first).to_be_visible()


def test_a_service_that_says_nothing_is_news_and_no_blank_page(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("status of 502")
    gone = (502, error(502, "proxy_error", "API proxy error: gone."))
    answers = site.upstream.answers
    answers["/readyz"] = answers["/api/analytics/statistics"] = gone
    page.goto(f"{site.url}console/")
    log_in(page)
    expect(page.get_by_text("No answer")).to_have_count(3)
    expect(page.get_by_role("heading", name="Knowledge does not answer")).to_be_visible()
    expect(page.get_by_text("pm2 restart trivet-kb")).to_be_visible()
    judge(page, "failed")
    problem = page.locator(".problem")
    expect(problem).to_contain_text("The service that should answer refused or failed.")
    site.upstream.reset()
    problem.get_by_role("button", name="Try again").click()
    expect(page.locator(".tiles")).to_contain_text("128")


def test_health_is_looked_at_again_by_itself(page: Page, site: Site) -> None:
    page.clock.install()
    open_console(page, site)
    site.upstream.answers["/readyz"] = (
        200,
        {"status": "degraded", "checks": {"embedder": {"ok": False, "detail": "loading"}}},
    )
    page.clock.run_for(11_000)
    expect(page.get_by_role("heading", name="3 things need attention.")).to_be_visible()
    expect(page.get_by_text("Degraded")).to_have_count(3)


def test_a_day_without_questions_says_what_to_do(page: Page, site: Site) -> None:
    site.upstream.answers["/api/analytics/statistics"] = (
        200,
        {"total_questions": 0, "total_searches": 0},
    )
    page.goto(f"{site.url}console/")
    log_in(page)
    expect(page.get_by_text("No question has been asked today.")).to_be_visible()
    judge(page, "empty")
    link = page.get_by_role("link", name="Open the chat page")
    expect(link).to_have_attribute("href", site.url)


def test_a_server_that_cannot_be_asked_is_told_and_asked_again(
    page: Page, context: BrowserContext, site: Site, watch: Watch
) -> None:
    watch.allow("ERR_FAILED")
    open_console(page, site)
    page.route("**/api/session", lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("The connection could not be made")
    page.unroute("**/api/session")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Everything is running.")).to_be_visible()


def test_the_console_speaks_chinese(page: Page, site: Site) -> None:
    page.goto(f"{site.url}console/")
    page.get_by_role("button", name="切换到中文").click()
    expect(page.get_by_role("heading", name="Trivet 控制台")).to_be_visible()
    page.get_by_label("管理员令牌").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="一切运行正常。")).to_be_visible()
    expect(page.get_by_text("数据库")).to_have_count(3)
    assert page.evaluate("() => document.documentElement.lang") == "zh-CN"


def test_the_menu_of_a_narrow_screen_opens_and_closes(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    open_console(page, site)
    entry = page.get_by_role("link", name="Overview")
    expect(entry).to_be_hidden()
    page.get_by_role("button", name="Open the menu").click()
    expect(entry).to_be_visible()
    expect(entry).to_have_attribute("aria-current", "page")
    page.keyboard.press("Escape")
    expect(entry).to_be_hidden()
    assert page.evaluate("() => document.scrollingElement.scrollWidth") == 360
