"""The chat page and the console in Chromium, before the whole running stack."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.browser]

ANSWER_MS = 120_000  # a small model on a busy machine


def test_a_question_is_answered_with_sources_that_can_be_read(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.base_url}/")
    page.get_by_role("button", name="How do I back up Trivet?").click()
    source = page.get_by_role("link", name="Source 1")
    expect(source).to_be_visible(timeout=ANSWER_MS)
    expect(page.locator(".answer")).not_to_be_empty(timeout=ANSWER_MS)
    expect(page.get_by_role("button", name="Copy answer")).to_be_visible(timeout=ANSWER_MS)
    expect(page.get_by_text("A small local model answers, for trials.")).to_be_visible()
    with page.expect_popup() as opened:
        source.click()
    expect(opened.value.locator(".sought")).to_be_in_viewport()


def test_a_chinese_question_finds_a_chinese_source(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.base_url}/")
    page.get_by_role("button", name="切换到中文").click()
    page.get_by_role("textbox").fill("如何备份 Trivet？")
    page.keyboard.press("Enter")
    source = page.get_by_role("link", name="来源 1")
    expect(source).to_be_visible(timeout=ANSWER_MS)
    assert "read/?/guide/zh/" in (source.get_attribute("href") or "")
    expect(page.get_by_role("button", name="复制回答")).to_be_visible(timeout=ANSWER_MS)


def test_the_console_shows_a_healthy_stack(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.base_url}/console/")
    page.get_by_label("Administrator's token").fill(stack.admin_token)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Running", exact=True)).to_have_count(3, timeout=30_000)
    expect(page.locator(".tiles dd").first).to_be_visible()
    expect(page.locator(".providers li").first).to_be_visible()
    assert stack.admin_token not in page.content()
