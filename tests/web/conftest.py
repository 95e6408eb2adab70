"""Chromium, the built pages, and the real nginx before services that the tests play themselves."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from scripts.stack.nginx import Nginx
from scripts.stack.places import ROOT, WEB, WEB_DIST
from scripts.stack.settings import StackSettings
from services.kernel.database import file_lock
from services.kernel.settings import read_settings
from tests.support.ports import free_port
from tests.support.server import running
from tests.web.upstream import Upstream

PREFIX = "/~temp/mogine_agent/"
_LISTEN_TO_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass
class Watch:
    """What a page complained of, and whom it asked."""

    allowed: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def allow(self, part: str) -> None:
        """A complaint that this test provokes: the browser reports each failed request itself."""
        self.allowed.append(part)

    def unexpected(self) -> list[str]:
        return [c for c in self.complaints if not any(part in c for part in self.allowed)]


@dataclass(frozen=True)
class Site:
    """The door, and what stands behind it."""

    url: str
    upstream: Upstream


@pytest.fixture(scope="session")
def pages() -> Path:
    """The built pages; built anew when a source is newer, by one of those who test at once."""
    with file_lock(Path(tempfile.gettempdir()) / "trivet-pages.lock"):
        if not _are_new():
            command = ["npm", "run", "build", "--workspace", "web"]
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return WEB_DIST


def _are_new() -> bool:
    apart = {"dist", "node_modules"}
    files = (path for path in WEB.rglob("*") if not apart & set(path.relative_to(WEB).parts))
    newest = max(path.stat().st_mtime for path in files if path.is_file())
    index = WEB_DIST / "index.html"
    return index.exists() and index.stat().st_mtime >= newest


@pytest.fixture(scope="session")
def upstream() -> Iterator[tuple[Upstream, str]]:
    played = Upstream()
    with running(played.app, graceful_seconds=1) as url:
        yield played, url


@pytest.fixture(scope="session")
def doors(
    pages: Path, upstream: tuple[Upstream, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], str]]:
    """The stack's own nginx under a prefix, started when first asked for: gives its address."""
    assert pages.is_dir()
    opened: dict[str, tuple[Nginx, str]] = {}

    def door(prefix: str) -> str:
        if prefix not in opened:
            opened[prefix] = open_door(tmp_path_factory.mktemp("nginx"), prefix, upstream[1])
        return opened[prefix][1]

    yield door
    for nginx, _url in opened.values():
        nginx.stop()


def open_door(
    home: Path, prefix: str, upstream_url: str, *, analytics_url: str | None = None, **more: str
) -> tuple[Nginx, str]:
    """nginx under a prefix before services at `upstream_url`, and the address of the chat page;
    analytics may be another one, and `more` are further variables."""
    port = free_port()
    environ = {
        "TRIVET_RUN_DIR": str(home / "run"),
        "TRIVET_DATA_DIR": str(home / "data"),
        "TRIVET_PREFIX": prefix,
        "TRIVET_HTTP_PORT": str(port),
        "TRIVET_LISTEN_ADDRESS": "127.0.0.1",
        "TRIVET_RATE_BURST": "10000",
        "TRIVET_LLM_PROXY_URLS": upstream_url,
        "TRIVET_KB_URLS": upstream_url,
        "TRIVET_ANALYTICS_URLS": analytics_url or upstream_url,
        **more,
    }
    nginx = Nginx(read_settings(StackSettings, environ))
    nginx.prepare()
    nginx.start()
    return nginx, f"http://127.0.0.1:{port}{prefix}"


@pytest.fixture
def site(
    request: pytest.FixtureRequest,
    doors: Callable[[str], str],
    upstream: tuple[Upstream, str],
) -> Site:
    """The pages under a prefix; a test may name another one (indirectly)."""
    upstream[0].reset()
    return Site(doors(getattr(request, "param", PREFIX)), upstream[0])


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 800})
    opened.set_default_timeout(10_000)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, watch: Watch) -> Iterator[Page]:
    """A page whose console must stay clean and which may ask no other host."""
    opened = context.new_page()
    opened.add_init_script(_LISTEN_TO_VIOLATIONS)

    def complain(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            watch.complaints.append(f"{message.text} {message.location.get('url', '')}")

    opened.on("console", complain)
    opened.on("pageerror", lambda error: watch.complaints.append(str(error)))
    opened.on("request", lambda request: watch.hosts.add(request.url.split("/")[2]))
    yield opened
    assert watch.unexpected() == []
    assert all(host.startswith("127.0.0.1:") for host in watch.hosts)
