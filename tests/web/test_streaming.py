"""An answer of 10,000 tokens: its end costs what its beginning cost, and nothing of it stays.

Like is compared with like, one stretch of an answer with another one of the same answer: absolute
times would tell the machine, not the page. They stand in docs/design-system.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from tests.web.conftest import Site
from tests.web.tasks import drawn, mark, traced
from tests.web.upstream import Chat

pytestmark = pytest.mark.browser

TOKENS = 10_000
PARTS = 10
STRETCHES = [*(f"part {number}" for number in range(PARTS)), "end"]
ANSWERS = 2  # a collection of garbage falls into any stretch: one answer alone may have bad luck
_BURST = 20  # tokens that arrive in one piece


def _word(index: int) -> str:
    return f"**word{index}** " if index % 10 == 0 else f"word{index} "


def _mixed() -> Iterator[str]:
    """What models write: headings, paragraphs, lists, code."""
    for index in range(TOKENS):
        if index % 400 == 0:
            yield f"\n\n## Part {index}\n\n"
        elif index % 100 == 0:
            yield "\n\n"
        if index % 700 == 300:
            yield "\n\n```py\n" + "def double(x):\n    return x * 2\n" * 6 + "```\n\n"
        if index % 700 == 500:
            yield "\n\n" + "".join(f"- item **{n}** of `list`\n" for n in range(8)) + "\n\n"
        yield _word(index)


def _one_list() -> Iterator[str]:
    for index in range(TOKENS):
        yield ("\n- " if index % 12 == 0 else "") + _word(index)


def _one_paragraph() -> Iterator[str]:
    return map(_word, range(TOKENS))


def _parts(text: Callable[[], Iterator[str]]) -> list[list[str]]:
    tokens = list(text())
    step = -(-len(tokens) // PARTS)
    return [tokens[start : start + step] for start in range(0, len(tokens), step)]


def _send(chat: Chat, tokens: list[str]) -> None:
    for start in range(0, len(tokens), _BURST):
        burst = tokens[start : start + _BURST]
        events = [{"choices": [{"index": 0, "delta": {"content": token}}]} for token in burst]
        chat.send("".join(f"data: {json.dumps(event)}\n\n" for event in events).encode())


def _begin(page: Page, site: Site) -> Chat:
    page.get_by_role("textbox", name="Ask a question").fill("Tell me everything")
    page.keyboard.press("Enter")
    chat = site.upstream.next_chat()
    chat.open()
    chat.chunk("Here it is.\n\n")
    expect(page.locator(".answer p").first).to_have_text("Here it is.")
    return chat


def _arrived(page: Page, count: int) -> None:
    """Waits until so many characters have arrived, and are drawn."""
    page.wait_for_function(
        "count => document.querySelector('trivet-chat').turns.at(-1).answer.length >= count",
        arg=count,
        timeout=60_000,
    )
    drawn(page)


def _end(page: Page, chat: Chat) -> None:
    """Ends the answer; waits without a locator, whose look at all of the page is a long task."""
    chat.done()
    ended = "() => document.querySelector('trivet-chat').turns.at(-1).state === 'complete'"
    page.wait_for_function(ended, timeout=60_000)
    drawn(page)


@pytest.mark.parametrize(
    ("text", "throttle"), [(_mixed, 1), (_mixed, 4), (_one_list, 1), (_one_paragraph, 1)]
)
def test_the_longest_task_of_an_answer_does_not_grow_with_it(
    browser: Browser,
    context: BrowserContext,
    page: Page,
    site: Site,
    text: Callable[[], Iterator[str]],
    throttle: int,
) -> None:
    page.goto(site.url)
    protocol = context.new_cdp_session(page)
    protocol.send("Emulation.setCPUThrottlingRate", {"rate": throttle})
    with traced(browser, page) as tasks:
        for answer in range(ANSWERS):
            _traced_answer(page, site, text, answer)
    figures = [[tasks.longest_ms(f"{one} of {n}") for one in STRETCHES] for n in range(ANSWERS)]
    told = [[round(ms) for ms in answer] for answer in figures]
    print(f"{text.__name__} at {throttle}x: {told} ms of CPU")
    firsts = [max(parts[:2]) for *parts, _end in figures]
    lasts = [min(parts[-2:]) for *parts, _end in figures]
    ends = [end for *_parts, end in figures]
    assert any(last < 2 * first for last, first in zip(lasts, firsts, strict=True)), told
    assert any(end < 2 * first for end, first in zip(ends, firsts, strict=True)), told


def _traced_answer(page: Page, site: Site, text: Callable[[], Iterator[str]], answer: int) -> None:
    """A conversation of one answer, with a mark at each stretch of it."""
    chat, characters = _begin(page, site), 0
    for stretch, part in zip(STRETCHES[:-1], _parts(text), strict=True):
        mark(page, f"{stretch} of {answer}")
        _send(chat, part)
        characters += len("".join(part))
        _arrived(page, characters)
    mark(page, f"{STRETCHES[-1]} of {answer}")
    _end(page, chat)
    mark(page, f"after {answer}")
    page.get_by_role("button", name="New conversation").click()
    expect(page.get_by_role("heading", name="Ask Trivet")).to_be_visible()


def test_nothing_stays_in_memory_of_an_answer_that_is_gone(
    context: BrowserContext, page: Page, site: Site
) -> None:
    page.goto(site.url)
    protocol = context.new_cdp_session(page)
    kept = []
    for _ in range(3):
        chat = _begin(page, site)
        for part in _parts(_mixed):
            _send(chat, part)
        _end(page, chat)
        page.get_by_role("button", name="New conversation").click()
        expect(page.get_by_role("heading", name="Ask Trivet")).to_be_visible()
        kept.append(_kept(protocol))
    (_, _), (nodes, heap_bytes), (last_nodes, last_heap_bytes) = kept
    assert last_nodes <= 1.05 * nodes, kept
    assert last_heap_bytes <= 1.1 * heap_bytes, kept


def _kept(protocol: CDPSession) -> tuple[int, int]:
    """DOM nodes and bytes of JavaScript's heap after a collection."""
    protocol.send("HeapProfiler.collectGarbage")
    nodes = int(protocol.send("Memory.getDOMCounters")["nodes"])
    return nodes, int(protocol.send("Runtime.getHeapUsage")["usedSize"])


def test_a_selection_and_a_copy_button_outlive_what_follows(
    context: BrowserContext, page: Page, site: Site
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(site.url)
    chat = _begin(page, site)
    code = "".join(f"line {number}\n" for number in range(400))
    chat.chunk(f"```sh\n{code[:1500]}")
    block = page.locator(".answer pre code")
    expect(block).to_contain_text("line 100")
    block.evaluate(
        """(code) => {
          window.range = document.createRange();
          window.range.setStart(code.firstChild, 0);
          window.range.setEnd(code.firstChild, 6);
        }"""
    )
    button = page.get_by_role("button", name="Copy", exact=True)
    button.focus()
    chat.chunk(f"{code[1500:]}```\n\nAnd so on.")
    expect(page.locator(".answer p").last).to_have_text("And so on.")
    assert page.evaluate("window.range.toString()") == "line 0"
    expect(button).to_be_focused()
    button.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == code.rstrip("\n")
    chat.done()


def test_the_newest_line_stays_in_view_until_the_reader_scrolls_up(page: Page, site: Site) -> None:
    page.goto(site.url)
    chat = _begin(page, site)
    for number in range(60):
        chat.chunk(f"Paragraph {number}.\n\n")
    newest = page.get_by_text("Paragraph 59.")
    expect(newest).to_be_in_viewport()
    page.locator(".scroll").hover()
    page.mouse.wheel(0, -900)
    to_newest = page.get_by_role("button", name="To the newest")
    expect(to_newest).to_be_visible()
    early = page.get_by_text("Paragraph 40.")
    place = early.bounding_box()
    for number in range(60, 90):
        chat.chunk(f"Paragraph {number}.\n\n")
    expect(page.get_by_text("Paragraph 88.")).to_be_attached()
    drawn(page)
    assert early.bounding_box() == place
    to_newest.click()
    expect(page.get_by_text("Paragraph 88.")).to_be_in_viewport()
    chat.done()
    expect(page.get_by_text("Paragraph 89.")).to_be_in_viewport()
    expect(to_newest).to_have_count(0)
