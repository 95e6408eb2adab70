"""Makes the pictures of the README: `python -m tests.web.screenshots`.

The pages are the real ones behind the real nginx; the answer shown is written here. Any font may be
lent to the browser by fontconfig's own variable, FONTCONFIG_FILE.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, Route, sync_playwright

from scripts.stack.places import ROOT
from tests.support.browser import CHROMIUM, FLAGS
from tests.support.server import running
from tests.web.conftest import open_door
from tests.web.upstream import CITATIONS, TOKEN, Upstream, ready

IMAGES = ROOT / "docs" / "images"
QUESTION = "How do I back up Trivet?"
ANSWER = """Stop Trivet, copy one folder, and start it again [1]:

```sh
make stop
cp -a data /backup/trivet-data
make run
```

The folder `data/` holds **everything that cannot be made again**: the databases, the tokens and \
the events that wait [2]. Copy `.env` as well.
"""
HEALTH = {
    "llm_proxy": {"models": "", "assistants": "", "default_model": "local/smollm2-135m"},
    "kb": {"database": "", "embedder": "", "vector_index": ""},
    "analytics": {"database": "429 records", "writer": "0 events wait"},
}


def main() -> None:
    upstream = Upstream()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        running(upstream.app, graceful_seconds=1) as url,
        sync_playwright() as playwright,
    ):
        Path(home).chmod(0o755)  # nginx's workers are not root
        nginx, site = open_door(Path(home), "/", url)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            _chat(_page(browser), site, upstream)
            _console(_page(browser), site, upstream)
        finally:
            browser.close()
            nginx.stop()


def _page(browser: Browser) -> Page:
    context = browser.new_context(
        locale="en-US", viewport={"width": 1120, "height": 780}, device_scale_factor=1.5
    )
    return context.new_page()


def _chat(page: Page, site: str, upstream: Upstream) -> None:
    page.goto(site)
    page.get_by_role("textbox").fill(QUESTION)
    page.keyboard.press("Enter")
    chat = upstream.next_chat()
    chat.open()
    chat.chunk(citations=CITATIONS)
    chat.chunk(ANSWER)
    chat.done()
    page.get_by_role("button", name="Copy answer").wait_for()
    page.screenshot(path=IMAGES / "chat.png", animations="disabled")


def _console(page: Page, site: str, upstream: Upstream) -> None:
    page.route("**/services/*/readyz", _healthy)
    page.goto(f"{site}console/")
    page.get_by_label("Administrator's token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.locator(".tiles").wait_for()
    page.locator(".providers").wait_for()
    page.screenshot(path=IMAGES / "console.png", animations="disabled")


def _healthy(route: Route) -> None:
    service = route.request.url.split("/")[-2]
    route.fulfill(json=ready(service, **HEALTH[service]))


if __name__ == "__main__":
    main()
