"""Makes the pictures of the README, the docs and the guide: `make screenshots`.

A whole stack is started on free ports and filled; what a model would say is written in `writer`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

import httpx
from playwright.sync_api import Page, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from scripts.stack.places import ROOT
from tests.pictures import scenes
from tests.pictures.filling import Filled, fill
from tests.pictures.shrink import shrunk
from tests.pictures.writer import Writer
from tests.support.browser import CHROMIUM, FLAGS
from tests.support.server import running
from tests.support.stack import Stack, running_stack
from tests.support.wait import until

IMAGES = ROOT / "docs" / "images"
_SCENES = [scenes.take_console, scenes.take_run, scenes.take_chat, scenes.take_widget]
_SHOP = {
    "en": ("The Corner Bookshop", "New arrivals", "Poetry in two languages, maps, and tea."),
    "zh": ("街角书店", "新到图书", "双语诗集、地图，还有茶。"),
}


def main() -> None:
    wanted = tuple(sys.argv[1:]) or ("",)  # beginnings of names; none: all
    with _site() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        # The console first: what the other scenes ask would stand in its lists.
        for scene, language in product(_SCENES, scenes.LANGUAGES):
            place = scenes.Place(*site, language)
            scene(browser, place, _keeper(browser.new_page(), language, wanted))
        browser.close()


def _keeper(blank: Page, language: str, wanted: tuple[str, ...]) -> scenes.Take:
    """Takes a picture of a page and keeps it, where its name is wanted."""

    def take(name: str, page: Page) -> None:
        if not name.startswith(wanted):
            return
        path = IMAGES / f"{name}-{language}.webp"
        path.write_bytes(shrunk(blank, page.screenshot(animations="disabled")))
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB", flush=True)

    return take


@contextmanager
def _site() -> Iterator[tuple[Stack, Writer, Filled, str]]:
    """A filled stack, and a page of another site that shows its chat."""
    writer = Writer()
    key = ""
    stack_url = ""

    async def shop(request: Request) -> Response:
        return HTMLResponse(_shop(request.url.path[1:], stack_url, key))

    async def icon(_request: Request) -> Response:
        return Response(status_code=204)

    app = Starlette(routes=[Route("/en", shop), Route("/zh", shop), Route("/favicon.ico", icon)])
    with (
        running(writer.app()) as writer_url,
        running(app) as origin,
        running_stack({"DOUBAO_BASE_URL": writer_url}) as stack,
    ):
        _let_it_write(stack)
        filled = fill(stack, origin)
        key, stack_url = filled.website_key, stack.base_url
        yield stack, writer, filled, origin


def _let_it_write(stack: Stack) -> None:
    """The default model is the one that is written here; a changed file is taken by itself."""
    models = stack.root / "config" / "models.yaml"
    models.write_text(models.read_text().replace("default: [local]", "default: [doubao]"))
    body = {
        "model": "assistant/site",
        "messages": [{"role": "user", "content": "How do I back up Trivet?"}],
    }

    def doubao_answers() -> bool:
        address = f"{stack.base_url}/v1/chat/completions"
        answer = httpx.post(address, json=body, headers=stack.admin, timeout=60)
        return answer.is_success and str(answer.json()["model"]).startswith("doubao")

    until(doubao_answers, 120, "the changed models.yaml is taken")


def _shop(language: str, stack_url: str, key: str) -> str:
    name, heading, text = _SHOP[language]
    return f"""<!doctype html><html lang="{language}"><title>{name}</title>
<style>
  body {{ margin: 0; font: 1.125rem/1.6 Georgia, "WenQuanYi Micro Hei", serif; color: #2c2a26;
    background: #f7f3ea }}
  header {{ padding: 2rem 3rem; border-bottom: 1px solid #dcd3c0; font-size: 1.75rem }}
  main {{ padding: 2rem 3rem; max-width: 30rem }}
</style>
<header>{name}</header><main><h1>{heading}</h1><p>{text}</p></main>
<script type="module" src="{stack_url}/widget.js"></script>
<trivet-chat mode="button" assistant="site" key="{key}" contact-after="0"></trivet-chat></html>"""


if __name__ == "__main__":
    IMAGES.mkdir(parents=True, exist_ok=True)
    main()
