"""The console's keys and providers in Chromium, through the stack's own nginx."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.access_data import KEYS, KEYS_PATH, SECRET, SHOP, key, providers, stock
from tests.web.conftest import Site, Watch
from tests.web.looking import judge
from tests.web.test_console import log_in
from tests.web.upstream import error

pytestmark = pytest.mark.browser


def open_page(page: Page, site: Site, address: str = "access") -> None:
    stock(site.upstream)
    page.goto(f"{site.url}console/#/{address}")
    log_in(page)
    expect(page.locator("trivet-access h1")).to_be_visible()


def test_keys_stand_with_what_they_may_and_what_they_have_spent(page: Page, site: Site) -> None:
    open_page(page, site)
    rows = page.locator(".keys > li")
    expect(rows).to_have_count(4)  # those that are no longer in force are not shown at first
    expect(rows.first).to_contain_text("doubao/* · assistant/site")
    expect(rows.first).to_contain_text("$4.31 of $5.00")
    meter = rows.first.get_by_role("meter", name="Today")
    expect(meter).to_have_attribute("aria-valuenow", "86")
    assert meter.locator("i").evaluate("(e) => e.offsetWidth / e.parentElement.offsetWidth") < 0.9
    expect(rows.nth(3)).to_contain_text("Budget used up")
    page.get_by_role("link", name="All", exact=True).click()
    expect(rows).to_have_count(6)
    expect(rows.nth(4)).to_contain_text("Revoked")
    expect(rows.nth(5)).to_contain_text("Expired")


def test_a_new_key_is_shown_once_and_nowhere_kept(page: Page, site: Site) -> None:
    open_page(page, site, "access/keys/new")
    page.get_by_label("Name").fill("Shop")
    page.get_by_role("button", name="assistant/site").click()
    page.get_by_label("Requests a minute").fill("120")
    page.get_by_label("Budget a day (USD)").fill("2.5")
    page.get_by_label("Expires").fill("2030-01-02T03:04")
    site.upstream.answers[f"POST {KEYS_PATH}"] = (201, SHOP | {"key": SECRET})
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("heading", name="This is the key. It is shown")).to_be_focused()
    expect(page.get_by_text(SECRET)).to_be_visible()
    judge(page, "the new key")
    sent = site.upstream.changes[-1][2]
    expires = sent.pop("expires_at")
    assert expires.endswith("Z") and expires.startswith("2030-01-0")
    assert sent == {
        "kind": "application",
        "name": "Shop",
        "models": ["assistant/site"],
        "requests_per_minute": 120,
        "daily_budget_usd": 2.5,
    }
    kept = page.evaluate("() => JSON.stringify({...localStorage, ...sessionStorage})")
    assert SECRET not in kept + page.url
    page.get_by_role("button", name="I have stored it").click()
    expect(page.get_by_role("heading", name="Shop assistant of the intranet")).to_be_visible()
    expect(page.get_by_text(SECRET)).to_have_count(0)
    page.go_back()
    expect(page.get_by_text(SECRET)).to_have_count(0)


def test_the_key_can_be_copied(page: Page, context: BrowserContext, site: Site) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_page(page, site, "access/keys/new")
    page.get_by_label("Name").fill("Shop")
    site.upstream.answers[f"POST {KEYS_PATH}"] = (201, SHOP | {"key": SECRET})
    page.get_by_role("button", name="Make the key").click()
    page.get_by_role("button", name="Copy the key").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == SECRET


def test_what_is_wrong_stands_at_its_field(page: Page, site: Site) -> None:
    open_page(page, site, "access/keys/new")
    page.get_by_role("radio", name="Publishable").check()
    page.get_by_role("textbox", name="Origins").fill("https://www.example.org\nexample.org/path")
    page.get_by_label("Requests a minute", exact=True).fill("many")
    page.get_by_label("Budget a month (USD)").fill("-1")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_text("This is needed.")).to_have_count(2)  # name, assistant
    expect(page.get_by_text("An origin is like")).to_be_visible()
    expect(page.get_by_text("A whole number from 1 on.")).to_be_visible()
    expect(page.get_by_text("An amount from 0 on.")).to_be_visible()
    judge(page, "wrong fields")
    assert site.upstream.changes == []


def test_typed_text_outlives_refusals_and_detours_but_a_vendors_key_is_never_kept(
    page: Page, context: BrowserContext, site: Site, watch: Watch
) -> None:
    watch.allow("status of 409")
    watch.allow("status of 401")
    open_page(page, site, "access/keys/new?kind=provider&provider=openai")
    page.get_by_label("Name").fill("Spare")
    page.get_by_label("The provider’s key").fill("sk-test-not-a-key")
    expect(page.get_by_label("Provider", exact=True)).to_have_value("openai")
    refused = error(409, "conflict_error", "Providers' keys are stored encrypted only.")
    site.upstream.answers[f"POST {KEYS_PATH}"] = (409, refused)
    page.get_by_role("button", name="Store the key").click()
    alert = page.get_by_role("alert").last
    expect(alert).to_contain_text("This clashes with something")
    expect(page.get_by_label("The provider’s key")).to_have_value("sk-test-not-a-key")
    context.clear_cookies()
    page.get_by_role("button", name="Store the key").click()
    log_in(page)
    expect(page.get_by_label("Name")).to_have_value("Spare")
    page.goto(f"{site.url}console/#/access/providers")
    expect(page.locator("trivet-providers")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Name")).to_have_value("Spare")
    expect(page.get_by_label("The provider’s key")).to_have_value("")
    assert "sk-test" not in page.evaluate("() => JSON.stringify({...sessionStorage})")


def test_only_what_changed_is_sent_and_an_empty_field_takes_a_limit_away(
    page: Page, site: Site
) -> None:
    open_page(page, site, "access/keys/key_1/edit")
    expect(page.get_by_label("Tokens a minute")).to_have_value("90000")
    page.get_by_label("Tokens a minute").fill("")
    page.get_by_label("At the same time").fill("3")
    changed: dict[str, Any] = SHOP | {"concurrent": 3, "tokens_per_minute": None}
    site.upstream.answers[f"PATCH {KEYS_PATH}/key_1"] = (200, changed)
    site.upstream.answers[f"{KEYS_PATH}/key_1"] = (200, changed)
    with page.expect_response(lambda response: response.request.method == "PATCH"):
        page.get_by_role("button", name="Save").click()
    expect(page.locator(".limits")).to_contain_text("At the same time")
    assert site.upstream.changes[-1][2] == {"tokens_per_minute": None, "concurrent": 3}


def test_what_is_used_of_the_limits_is_seen_as_it_happens(page: Page, site: Site) -> None:
    page.clock.install()
    open_page(page, site, "access/keys/key_1")
    limits = page.locator(".limits")
    expect(limits).to_contain_text("102 of 120")
    calls = limits.get_by_role("meter", name="Requests a minute")
    expect(calls).to_have_attribute("data-tone", "near")
    expect(limits).to_contain_text("3 of 8")
    full = {"requests_last_minute": 120, "tokens_last_minute": 0, "running": 0}
    site.upstream.answers[f"{KEYS_PATH}/key_1/usage"] = (200, full)
    page.clock.run_for(5_000)
    expect(limits).to_contain_text("120 of 120")
    expect(calls).to_have_attribute("data-tone", "over")


def test_a_new_secret_leaves_the_old_one_a_while(page: Page, site: Site) -> None:
    open_page(page, site, "access/keys/key_1")
    page.get_by_role("button", name="New secret").click()
    page.get_by_label("The old one works for").select_option("3600")
    rotated = SHOP | {"key": SECRET, "old_secret_until": "2099-01-01T00:00:00Z"}
    site.upstream.answers[f"POST {KEYS_PATH}/key_1/rotate"] = (200, rotated)
    page.get_by_role("button", name="Make a new secret").click()
    expect(page.get_by_text(SECRET)).to_be_visible()
    expect(page.get_by_text("The old one works until")).to_be_visible()
    assert site.upstream.changes[-1][2] == {"grace_seconds": 3600}


def test_a_key_is_revoked_after_a_second_thought(page: Page, site: Site) -> None:
    open_page(page, site, "access/keys/key_2")
    expect(page.get_by_text("https://shop.example.org")).to_be_visible()
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("button", name="Keep it").click()
    assert site.upstream.changes == []
    page.get_by_role("button", name="Revoke").click()
    site.upstream.answers[f"DELETE {KEYS_PATH}/key_2"] = (204, None)
    gone = KEYS[1] | {"revoked_at": "2026-03-02T10:00:00Z"}
    site.upstream.answers[f"{KEYS_PATH}/key_2"] = (200, gone)
    page.get_by_role("group").get_by_role("button", name="Revoke").click()
    expect(page.locator(".line .state")).to_have_text("Revoked")
    expect(page.get_by_role("button", name="Revoke")).to_have_count(0)


def test_no_key_says_what_keys_are_for_and_a_wrong_address_that_there_is_none(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("status of 404")
    stock(site.upstream)
    site.upstream.answers[KEYS_PATH] = (200, {"items": [], "next_cursor": None})
    page.goto(f"{site.url}console/#/access")
    log_in(page)
    expect(page.get_by_text("There is no key yet.")).to_be_visible()
    judge(page, "no key")
    page.goto(f"{site.url}console/#/access/keys/nobody")
    expect(page.get_by_text("There is no such key.")).to_be_visible()
    judge(page, "wrong address")


def test_a_reading_that_failed_is_told_and_tried_again(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("status of 503")
    stock(site.upstream)
    away = error(503, "overloaded_error", "llm_proxy is starting.")
    site.upstream.answers[KEYS_PATH] = (503, away)
    page.goto(f"{site.url}console/#/access")
    log_in(page)
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    judge(page, "failed")
    stock(site.upstream)
    again.click()
    expect(page.locator(".keys > li")).to_have_count(4)


def test_deployments_say_how_they_stand(page: Page, site: Site) -> None:
    open_page(page, site, "access/providers")
    doubao = page.locator(".providers > li").first
    rows = doubao.locator("tbody tr")
    expect(rows.nth(0)).to_contain_text("Ready")
    expect(rows.nth(0).locator("[data-busy]")).to_have_text("3")
    expect(rows.nth(1)).to_contain_text("Cooling down")
    expect(rows.nth(1)).to_contain_text("no answer in time timeout_error")
    expect(page.get_by_text("Set OPENAI_API_KEY in .env")).to_be_visible()
    page.get_by_role("link", name="Store a key openai").click()
    expect(page.get_by_label("Provider", exact=True)).to_have_value("openai")


def test_what_the_instances_saw_is_put_together(page: Page, site: Site) -> None:
    page.clock.install()
    open_page(page, site, "access/providers")
    rows = page.locator(".providers > li").first.locator("tbody tr")
    expect(rows.nth(0).locator("[data-busy]")).to_have_text("3")
    site.upstream.answers["/api/llm/providers"] = (200, providers(instance=1))
    page.clock.run_for(5_000)
    expect(rows.nth(0).locator("[data-busy]")).to_have_text("7")
    expect(rows.nth(1)).to_contain_text("Cooling down")  # the other one knows better
    expect(page.get_by_text("As 2 instances see it")).to_be_visible()


def test_names_and_hints_are_text_whatever_they_hold(page: Page, site: Site) -> None:
    stock(site.upstream)
    evil = key(9, "<img src=x onerror=alert(1)>", models=["<b>bold</b>"])
    site.upstream.answers[KEYS_PATH] = (200, json.loads(json.dumps({"items": [evil]})))
    page.goto(f"{site.url}console/#/access")
    log_in(page)
    expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()


@pytest.mark.parametrize(
    "address", ["keys?state=all", "keys/key_1", "keys/new?kind=publishable", "providers"]
)
def test_it_can_be_used_by_everyone_on_every_screen(page: Page, site: Site, address: str) -> None:
    open_page(page, site, f"access/{address}")
    page.locator("trivet-access .panel").first.wait_for()
    judge(page)
