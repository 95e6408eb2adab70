"""The examples as people have them: files of a site of their own, before a real gateway."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from scripts.stack.places import ROOT
from tests.llm_proxy.conftest import Gateway, running_gateway
from tests.mock_vendor import running_vendor
from tests.support.server import running

EXAMPLES = ROOT / "examples"
PASSAGES = [
    {
        "id": "doc-1",
        "title": "Back up and restore",
        "content": "Stop everything, copy data/, start again.",
        "snippet": "Stop, copy data/.",
        "url": "https://docs.example/backup",
        "source": "guide/backup.md#how",
        "relevance_score": 0.91,
        "metadata": {},
    }
]
ANSWER = "Hello 世界!"


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose knowledge base finds one passage."""
    with (
        running_vendor() as vendor,
        running_gateway(tmp_path_factory.mktemp("gateway"), vendor) as started,
    ):
        started.neighbours.passages = PASSAGES
        yield started


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A site of somebody else's that serves a folder; its origin."""
    app = Starlette(routes=[Mount("/", StaticFiles(directory=folder, html=True))])
    with running(app) as origin:
        yield origin


@pytest.fixture(scope="session")
def html() -> Iterator[str]:
    """The origin of the plain pages."""
    with served(EXAMPLES / "html") as origin:
        yield origin


@pytest.fixture(scope="session")
def react(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of the React example, built as its own `npm run build` does."""
    folder = tmp_path_factory.mktemp("react")
    vite = ROOT / "node_modules" / ".bin" / "vite"
    command = [str(vite), "build", "--outDir", str(folder), "--logLevel", "error"]
    subprocess.run(command, cwd=EXAMPLES / "react", check=True, capture_output=True)
    with served(folder) as origin:
        yield origin


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(locale="en-US")
    opened.set_default_timeout(10_000)
    mistakes: list[str] = []
    opened.on("pageerror", lambda error: mistakes.append(str(error)))
    yield opened
    opened.close()
    assert mistakes == []
