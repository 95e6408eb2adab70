"""URLs: what is fetched, and that nobody reaches into our own network by one."""

import asyncio
import socket
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from services.kb.fetching import Fetcher, networks
from services.kernel.errors import Unprocessable
from tests.support.server import running

pytestmark = pytest.mark.process

LOCAL = (ip_network("127.0.0.1/32"),)


async def page(request: Request) -> Response:
    return Response(f"<p>{request.headers['host']}</p>", media_type="text/html")


async def hop(request: Request) -> Response:
    return RedirectResponse(request.query_params["to"])


async def loop(_: Request) -> Response:
    return RedirectResponse("/loop")


async def big(_: Request) -> Response:
    async def content() -> Any:
        for _ in range(100):
            yield b"x" * 65536

    return StreamingResponse(content(), media_type="text/plain")


async def slow(_: Request) -> Response:
    await asyncio.sleep(1)
    return PlainTextResponse("late")


async def picture(_: Request) -> Response:
    return Response(b"\x89PNG", media_type="image/png")


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    handlers = (page, hop, loop, big, slow, picture)
    routes = [Route(f"/{handler.__name__}", handler) for handler in handlers]
    with running(Starlette(routes=routes)) as base_url:
        yield base_url


def fetch(url: str, path: Path, *, seconds: float = 10, allowed: Any = LOCAL) -> str:
    fetcher = Fetcher(max_bytes=200_000, seconds=seconds, allowed=allowed)
    return asyncio.run(fetcher.fetch(url, path)).file_name


def test_a_page_is_fetched_under_its_own_name(site: str, tmp_path: Path) -> None:
    path = tmp_path / "page"
    by_name = site.replace("127.0.0.1", "localhost")
    assert fetch(f"{by_name}/page#part", path, allowed=networks("127.0.0.1/32,::1/128")) == (
        "page.html"
    )
    assert path.read_text() == f"<p>{by_name.removeprefix('http://')}</p>"


def test_redirects_are_followed_some_times(site: str, tmp_path: Path) -> None:
    assert fetch(f"{site}/hop?to=/page", tmp_path / "a") == "page.html"
    with pytest.raises(Unprocessable, match="redirects more than 5 times"):
        fetch(f"{site}/loop", tmp_path / "a")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104  # asked for, not bound
        "224.0.0.1",
        "[::1]",
        "[fe80::1]",
        "[fc00::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "2130706433",
        "0x7f.1",
        "127.1",
    ],
)
def test_private_addresses_are_refused_in_every_spelling(host: str, tmp_path: Path) -> None:
    with pytest.raises(Unprocessable, match=r"private network|no known host"):
        fetch(f"http://{host}/", tmp_path / "a", allowed=())


def test_a_name_is_judged_by_all_its_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def both(*_: Any, **__: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))
            for address in ("93.184.216.34", "127.0.0.1")
        ]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", both)
    with pytest.raises(Unprocessable, match="private network"):
        fetch("http://example.com/", tmp_path / "a", allowed=())


def test_the_connection_goes_to_the_address_that_was_checked(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers differently the second time leads nowhere else: it is asked once."""
    asked: list[str] = []

    async def once(_loop: Any, host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", once)
    port = site.rpartition(":")[2]
    fetch(f"http://docs.example.com:{port}/page", tmp_path / "a")
    assert (tmp_path / "a").read_text() == f"<p>docs.example.com:{port}</p>"
    assert [host for host in asked if host != "127.0.0.1"] == ["docs.example.com"]


def test_a_redirect_into_the_private_network_is_refused(site: str, tmp_path: Path) -> None:
    for target in ("http://127.0.0.2/", "http://169.254.169.254/latest", "file:///etc/passwd"):
        with pytest.raises(Unprocessable, match=r"private network|not a URL"):
            fetch(f"{site}/hop?to={target}", tmp_path / "a")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.com/a", "not a URL"),
        ("file:///etc/passwd", "not a URL"),
        ("http://user:pass@example.com/", "name and password"),
        ("http://", "not a URL"),
        ("http://[::1", "not a URL"),
        ("nonsense", "not a URL"),
    ],
)
def test_what_is_no_address_of_the_web_is_refused(url: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(Unprocessable, match=words):
        fetch(url, tmp_path / "a")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("big", "larger than 200000 bytes"),
        ("slow", r"within 0\.2 s"),
        ("picture", "image/png, which cannot be read"),
        ("none", "status 404"),
    ],
)
def test_too_big_too_slow_and_unreadable_answers_are_refused(
    site: str, path: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(Unprocessable, match=words):
        fetch(f"{site}/{path}", tmp_path / "a", seconds=0.2 if path == "slow" else 10)
