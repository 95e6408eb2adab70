"""The examples before a whole running stack: the real knowledge base, nginx, the local model."""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.examples.conftest import EXAMPLES
from tests.support.stack import Stack

pytestmark = pytest.mark.stack

QUESTION = 'How do I "back up" Trivet?'
_SECONDS = 180  # a small model on a busy machine


def run(stack: Stack, *command: str) -> str:
    given = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"}
    given |= {"BASE": stack.base_url, "TRIVET_BASE": stack.base_url}
    done = subprocess.run(
        command, env=given, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_the_shell_script_finds_and_asks(stack: Stack) -> None:
    said = run(stack, str(EXAMPLES / "curl" / "ask.sh"), QUESTION)
    passages, whole, streamed = said.split("== ")[1:]
    assert "guide/en/backup.md" in passages
    assert '"citations"' in whole
    assert streamed.rstrip().endswith("data: [DONE]")


@pytest.mark.parametrize("program", ["with_openai.py", "with_stdlib.py"])
def test_a_program_asks(stack: Stack, program: str) -> None:
    sources, *answer = run(
        stack, sys.executable, str(EXAMPLES / "python" / program), QUESTION
    ).splitlines()
    assert sources.startswith("[1] ")
    assert "".join(answer)


@pytest.mark.browser
def test_a_page_of_another_site_asks(stack: Stack, html: str, page: Page) -> None:
    body = {"name": "example", "kind": "publishable", "origins": [html], "assistant": "site"}
    made = httpx.post(f"{stack.base_url}/api/llm/keys", json=body, headers=stack.admin)
    given = urlencode({"base": f"{stack.base_url}/", "key": made.json()["key"]})
    page.goto(f"{html}/chat.html?{given}")
    page.get_by_role("textbox", name="Question").fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Sources")).not_to_be_empty(timeout=_SECONDS * 1000)
    expect(page.get_by_role("button", name="Stop")).to_be_hidden(timeout=_SECONDS * 1000)
    expect(page.locator("output")).not_to_be_empty()
    expect(page.get_by_role("alert")).to_be_empty()
