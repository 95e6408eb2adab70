"""A real nginx with our configuration in front of stand-in services, on free ports."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.stack import settings as stack_settings
from scripts.stack.nginx import Nginx
from scripts.stack.settings import StackSettings
from tests.deploy.upstream import Upstream
from tests.support.ports import free_port
from tests.support.server import running

SERVICES = ("llm_proxy", "kb", "analytics")


@dataclass(frozen=True)
class Site:
    """What a test needs of a running nginx."""

    settings: StackSettings
    nginx: Nginx
    upstreams: dict[str, Upstream]
    prefix: str

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.settings.http_port}"

    def url(self, path: str) -> str:
        """The address of a path below the prefix."""
        return f"{self.origin}{self.prefix}{path}"

    @property
    def access_log(self) -> Path:
        return self.settings.logs / "nginx-access.log"


def environ_of(folder: Path, **more: str) -> dict[str, str]:
    """Settings of an nginx that lives in `folder`, with high limits, on 127.0.0.1 alone."""
    return {
        "TRIVET_RUN_DIR": str(folder / "run"),
        "TRIVET_DATA_DIR": str(folder / "data"),
        "TRIVET_HTTP_PORT": str(free_port()),
        "TRIVET_LISTEN_ADDRESS": "127.0.0.1",
        "TRIVET_RATE_PER_SECOND": "10000",
        "TRIVET_RATE_BURST": "10000",
        "NGINX_BIN": os.environ.get("NGINX_BIN", ""),  # the tests can be run on another nginx
        **more,
    }


def write_pages(folder: Path) -> Path:
    """What the web build leaves, in small."""
    pages = folder / "pages"
    for name, text in {
        "index.html": "<!doctype html><title>chat</title>",
        "console/index.html": "<!doctype html><title>console</title>",
        "assets/chat-abc123.js": "export {};\n" * 200,
        ".trivet-built": "secret",
    }.items():
        (pages / name).parent.mkdir(parents=True, exist_ok=True)
        (pages / name).write_text(text)
    return pages


@contextmanager
def site(folder: Path, environ: Mapping[str, str] | None = None) -> Iterator[Site]:
    """nginx before three stand-in services; `environ` adds to or overrides the settings."""
    with ExitStack() as stack:
        upstreams = {name: Upstream(name) for name in SERVICES}
        urls = {
            f"TRIVET_{name.upper()}_URLS": stack.enter_context(running(upstream))
            for name, upstream in upstreams.items()
        }
        settings = stack_settings.read(environ_of(folder, **{**urls, **(environ or {})}))
        nginx = Nginx(settings, write_pages(folder))
        nginx.prepare()
        nginx.start()
        stack.callback(nginx.stop)
        yield Site(settings, nginx, upstreams, settings.prefix)
