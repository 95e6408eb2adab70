"""How long the page's tasks take, by Chromium's tracing, in CPU time: other load counts little."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page

_CATEGORIES = ["toplevel", "disabled-by-default-devtools.timeline", "blink.user_timing"]


@dataclass
class Tasks:
    """The page's tasks, in stretches that begin at its marks."""

    events: list[dict[str, Any]] = field(default_factory=list)

    def longest_ms(self, stretch: str) -> float:
        """CPU time of the longest task of the main thread that began in a stretch, in ms."""
        marks = sorted(
            (e for e in self.events if e.get("cat") == "blink.user_timing"),
            key=lambda event: float(event["ts"]),
        )
        begin = next(mark for mark in marks if mark["name"] == stretch)
        ends = [mark["ts"] for mark in marks if mark["ts"] > begin["ts"]]
        end = min(ends, default=float("inf"))
        thread = (begin["pid"], begin["tid"])
        tasks: list[float] = [
            event["tdur"] / 1000
            for event in self.events
            if event.get("name", "").endswith("RunTask")
            and (event["pid"], event["tid"]) == thread
            and begin["ts"] <= event["ts"] < end
            and "tdur" in event
        ]
        return max(tasks)


@contextmanager
def traced(browser: Browser, page: Page) -> Iterator[Tasks]:
    """What the page does within it; to be read afterwards."""
    tasks = Tasks()
    browser.start_tracing(page=page, categories=_CATEGORIES)
    try:
        yield tasks
    finally:
        tasks.events = json.loads(browser.stop_tracing())["traceEvents"]


def mark(page: Page, stretch: str) -> None:
    """A stretch begins."""
    page.evaluate("name => performance.mark(name)", stretch)


def drawn(page: Page) -> None:
    """Waits until two frames have been drawn."""
    page.evaluate(
        "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
    )
