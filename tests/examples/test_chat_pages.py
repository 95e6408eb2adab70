"""The chat examples in Chromium: plain HTML, and React with the ai SDK, on sites of their own."""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, Route, expect

from tests.examples.conftest import ANSWER, PASSAGES
from tests.llm_proxy.conftest import Gateway
from tests.llm_proxy.keys.making import publishable
from tests.support.wait import until

pytestmark = pytest.mark.browser

PAGES = ["html", "react"]
_PATHS = {"html": "/chat.html", "react": "/"}
_BROKEN = 'data: {"id":"c","choices":[{"index":0,"delta":{"content":"Half"}}]}\n\n'


@pytest.fixture(params=PAGES)
def address(request: pytest.FixtureRequest, gateway: Gateway) -> str:
    """The page of an example, told where the stack is and with a key for its origin."""
    origin = request.getfixturevalue(request.param)
    key = publishable(gateway, origin)["key"]
    given = urlencode({"base": f"{gateway.url}/", "key": key})
    return f"{origin}{_PATHS[request.param]}?{given}"


def ask(page: Page, question: str = "How do I back up?") -> None:
    page.get_by_role("textbox", name="Question").fill(question)
    page.keyboard.press("Enter")


def test_a_question_is_answered_with_its_sources(page: Page, address: str) -> None:
    page.goto(address)
    ask(page)
    expect(page.get_by_text(ANSWER)).to_be_visible()
    expect(page.get_by_role("list", name="Sources")).to_have_text(str(PASSAGES[0]["title"]))
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    assert page.get_by_role("alert").all_text_contents() in ([], [""])


def test_a_refusal_is_told_in_the_servers_words(page: Page, address: str) -> None:
    page.goto(re.sub(r"key=[^&]+", "key=pk_of-nobody", address))
    ask(page)
    expect(page.get_by_role("alert")).not_to_be_empty()
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    expect(page.get_by_role("button", name="Ask")).to_be_enabled()


def test_an_error_within_the_stream_is_told(page: Page, address: str) -> None:
    error = {"message": "API proxy error: it broke.", "type": "proxy_error", "code": 502}
    _answer_with(page, f'{_BROKEN}event: error\ndata: {{"error": {json.dumps(error)}}}\n\n')
    page.goto(address)
    ask(page)
    expect(page.get_by_role("alert")).to_contain_text("it broke")
    expect(page.get_by_text("Half")).to_be_visible()


def test_stop_reaches_the_vendor(page: Page, address: str, gateway: Gateway) -> None:
    def slow(route: Route) -> None:
        body = {
            **(route.request.post_data_json or {}),
            "model": "openai/words:count=10000:delay_ms=20",
        }
        route.continue_(post_data=body)

    page.route("**/v1/chat/completions", slow)
    page.goto(re.sub(r"&key=[^&]+", "", address))  # its visitors could ask the assistant alone
    with page.expect_response("**/v1/chat/completions"):  # `slow` is only called in such a wait
        ask(page)
    until(lambda: gateway.vendor.open_streams == 1, 10, "the vendor writes")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    until(lambda: gateway.vendor.open_streams == 0, 10, "the stopped answer ends upstream")


def _answer_with(page: Page, body: str) -> None:
    def answer(route: Route) -> None:
        headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/event-stream"}
        route.fulfill(status=200, headers=headers, body=body)

    page.route("**/v1/chat/completions", answer)
