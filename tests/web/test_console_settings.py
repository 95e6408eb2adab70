"""The console's settings in Chromium, through the stack's own nginx."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from scripts.stack.places import ROOT
from services.kernel.settings import Environ, table
from tests.web.access_data import CONFIGURATION
from tests.web.conftest import Site, Watch
from tests.web.looking import judge
from tests.web.settings_data import CANARY, CLASSES, settings, stock
from tests.web.test_console import log_in
from tests.web.upstream import error

pytestmark = pytest.mark.browser


def open_page(page: Page, site: Site, address: str = "settings") -> None:
    stock(site.upstream)
    page.goto(f"{site.url}console/#/{address}")
    log_in(page)
    expect(page.get_by_role("heading", name="Settings", level=1)).to_be_visible()


def row(page: Page, name: str):  # type: ignore[no-untyped-def]  # Playwright's locator
    return page.locator("li").filter(has=page.get_by_text(name, exact=True))


def test_each_setting_says_its_value_its_help_and_where_it_comes_from(
    page: Page, site: Site
) -> None:
    open_page(page, site)
    level = row(page, "TRIVET_LOG_LEVEL")
    expect(level).to_contain_text("How much is logged")
    expect(level).to_contain_text("Default: info")
    expect(level.locator(".from")).to_have_text(re.compile("Environment"))
    origins = row(page, "TRIVET_ALLOWED_ORIGINS")
    expect(origins).to_contain_text("https://shop.example.org")
    expect(origins.locator(".from")).to_have_text(re.compile(r"\.env"))
    expect(row(page, "TRIVET_INSTANCES").locator(".from")).to_have_text("Default")
    expect(row(page, "TRIVET_UPLOAD_MAX_BYTES")).to_contain_text("104.9 MB")


def test_a_secret_is_set_or_not_and_says_no_more(page: Page, site: Site) -> None:
    open_page(page, site, "settings/llm_proxy")
    expect(row(page, "DOUBAO_API_KEY").locator(".sign")).to_have_text("set")
    expect(row(page, "OPENAI_API_KEY").locator(".sign")).to_have_text("not set")
    assert CANARY not in page.content()


def test_settings_are_found_by_name_and_words_and_the_address_keeps_them(
    page: Page, site: Site
) -> None:
    open_page(page, site, "settings/llm_proxy")
    all_of_them = sum(item["group"] == "own" for item in settings("llm_proxy")["items"])
    page.get_by_label("Find a setting").fill("heartbeat")
    expect(page.get_by_text(f"2 of {all_of_them} settings")).to_be_visible()
    assert page.url.endswith("#/settings/llm_proxy?q=heartbeat")
    page.reload()
    expect(page.get_by_label("Find a setting")).to_have_value("heartbeat")
    expect(page.get_by_text(f"2 of {all_of_them} settings")).to_be_visible()
    page.get_by_label("Find a setting").fill("nothing like it")
    expect(page.get_by_text("No setting fits.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    page.get_by_label("Only those that were given a value").check()
    expect(page.get_by_text(f"1 of {all_of_them} settings")).to_be_visible()


def test_each_service_shows_its_own_table(page: Page, site: Site) -> None:
    open_page(page, site)
    for service, name in (("kb", "KB_CHUNK_TOKENS"), ("analytics", "ANALYTICS_RETENTION_DAYS")):
        site.upstream.answers["/settings"] = (200, settings(service))
        page.goto(f"{site.url}console/#/settings/{service}")
        expect(row(page, name)).to_be_visible()
        expect(row(page, "TRIVET_DATA_DIR")).to_have_count(0)
    site.upstream.answers["/settings"] = (200, settings("analytics", Environ()))
    page.goto(f"{site.url}console/#/settings/kb")
    page.goto(f"{site.url}console/#/settings/analytics?given=yes")
    expect(page.get_by_text("Every setting has its default.")).to_be_visible()


def test_a_service_that_is_away_is_told_and_asked_again(
    page: Page, site: Site, watch: Watch
) -> None:
    watch.allow("status of 502")
    stock(site.upstream)
    site.upstream.answers["/settings"] = (502, error(502, "proxy_error", "Gone."))
    page.goto(f"{site.url}console/#/settings/kb")
    log_in(page)
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    judge(page, "failed")
    site.upstream.answers["/settings"] = (200, settings("kb"))
    again.click()
    expect(row(page, "KB_CHUNK_TOKENS")).to_contain_text("480")


def test_models_stand_as_they_were_loaded(page: Page, site: Site) -> None:
    open_page(page, site, "settings/models")
    expect(page.get_by_text("3 in, 9 out (CNY)")).to_be_visible()
    expect(page.get_by_text("weight 1, with a key of its own")).to_be_visible()
    expect(page.get_by_text("Set OPENAI_API_KEY")).to_be_visible()
    broken = {"problem": "models.yaml: providers.openai.adapter: Field required"}
    changed = CONFIGURATION | {"models_file": broken}
    site.upstream.answers["/api/llm/configuration"] = (200, changed)
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("providers.openai.adapter")


def test_assistants_stand_with_their_words_in_both_languages(page: Page, site: Site) -> None:
    open_page(page, site, "settings/assistants")
    page.get_by_text("Its words").click()
    expect(page.get_by_text("Answer using only the text.")).to_be_visible()
    expect(page.get_by_text("请只根据资料回答。")).to_be_visible()
    expect(page.get_by_text("the default model")).to_be_visible()


def test_every_setting_has_its_help_in_chinese() -> None:
    words = (ROOT / "web" / "src" / "i18n" / "settings.ts").read_text(encoding="utf-8")
    told = words[words.index("settingHelp") :]
    known = set(re.findall(r'^  ([A-Z][A-Z0-9_]+): ".*[\u4e00-\u9fff].*",$', told, re.MULTILINE))
    assert known == {item.name for one in CLASSES.values() for item in table(one)}


@pytest.mark.parametrize("part", ["", "/llm_proxy", "/models", "/assistants"])
def test_it_can_be_used_by_everyone_on_every_screen(page: Page, site: Site, part: str) -> None:
    open_page(page, site, f"settings{part}")
    page.locator("trivet-settings .panel").first.wait_for()
    judge(page)
