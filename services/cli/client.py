"""The running services, as the command line talks to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import httpx
import typer

from services.kernel import VERSION
from services.kernel.errors import ConfigurationError
from services.kernel.settings import CommonSettings, load_environ, read_settings
from services.kernel.sse import SseEvent, SseParser

_TIMEOUT = httpx.Timeout(120.0, connect=3.0)
_STREAM_ATTEMPTS = 20


class CallFailed(Exception):
    """A call that did not work; its text is one line for the person at the terminal."""


class ServiceClient:
    """A service over HTTP with the administrator's token. Raises CallFailed."""

    name: ClassVar[str]

    def __init__(self, base_urls: tuple[str, ...], token: str) -> None:
        self._base_urls = base_urls
        self._client = httpx.Client(
            timeout=_TIMEOUT,
            trust_env=False,
            headers={"Authorization": f"Bearer {token}", "User-Agent": f"Trivet/{VERSION}"},
        )

    def close(self) -> None:
        self._client.close()

    def call(self, method: str, path: str, **request: Any) -> Any:
        """The answer's JSON; None for an empty one."""
        response = self._send(method, path, **request)
        if response.is_error:
            raise CallFailed(_message(response, self.name))
        return response.json() if response.content else None

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        for base_url in self._base_urls:
            try:
                return self._client.request(method, base_url + path, **request)
            except httpx.ConnectError:
                continue  # another instance may be up
            except httpx.HTTPError as exc:
                raise CallFailed(f"{self.name} did not answer: look at its log.") from exc
        where = ", ".join(self._base_urls)
        raise CallFailed(f"{self.name} cannot be reached at {where}: is Trivet running? (make run)")


class LlmProxyClient(ServiceClient):
    """The gateway."""

    name = "llm_proxy"

    def events(self, path: str) -> Iterator[SseEvent]:
        """A stream's events; it goes on in another instance where a connection breaks."""
        seen: dict[str, str] = {}
        for attempt in range(_STREAM_ATTEMPTS):
            url = self._base_urls[attempt % len(self._base_urls)] + path
            try:
                with self._client.stream("GET", url, headers=seen) as response:
                    if response.is_error:
                        response.read()
                        raise CallFailed(_message(response, self.name))
                    parser = SseParser()
                    for chunk in response.iter_bytes():
                        for event in parser.feed(chunk):
                            if event.id:
                                seen = {"Last-Event-ID": event.id}
                            yield event
            except httpx.HTTPError:
                continue
        raise CallFailed(f"{self.name} breaks off again and again: look at its log.")


class KbClient(ServiceClient):
    """The knowledge base."""

    name = "kb"

    def __init__(self, base_urls: tuple[str, ...], token: str, upload_max_bytes: int) -> None:
        super().__init__(base_urls, token)
        self.upload_max_bytes = upload_max_bytes

    def documents(self, collection: str, source_prefix: str) -> Iterator[Mapping[str, Any]]:
        """All documents whose source begins with the prefix."""
        cursor = ""
        while True:
            params = {
                "collection": collection,
                "source_prefix": source_prefix,
                "cursor": cursor,
                "limit": 1000,
            }
            page = self.call("GET", "/api/documents", params=params)
            yield from page["items"]
            cursor = page["next_cursor"] or ""
            if not cursor:
                return

    def ensure_collection(self, name: str) -> None:
        """Makes the collection where it is not."""
        names = {item["name"] for item in self.call("GET", "/api/collections")["items"]}
        if name not in names:
            self.call("POST", "/api/collections", json={"name": name})


def _message(response: httpx.Response, service: str) -> str:
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"{service} answered with status {response.status_code}."


@contextmanager
def plain_errors(*kinds: type[Exception]) -> Iterator[None]:
    """What goes wrong becomes one line on stderr and exit code 1; `kinds` beside the usual ones."""
    expected: tuple[type[Exception], ...] = (CallFailed, ConfigurationError, *kinds)
    try:
        yield
    except expected as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


def read_common_settings() -> CommonSettings:
    """The settings of the folder that the command runs in."""
    return read_settings(CommonSettings, load_environ(Path.cwd()))


def read_token(settings: CommonSettings) -> str:
    """The administrator's token. Raises CallFailed."""
    try:
        return settings.admin_token_path.read_text(encoding="utf-8").strip()
    except OSError as exc:
        raise CallFailed(
            "the administrator's token cannot be read: run this in Trivet's folder, "
            "after the first make run, as the user who runs it"
        ) from exc
