"""The running kb, as the command line talks to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from services.kernel import VERSION

_TIMEOUT = httpx.Timeout(120.0, connect=3.0)


class CallFailed(Exception):
    """A call that did not work; its text is one line for the person at the terminal."""


class KbClient:
    """kb over HTTP with the administrator's token. Raises CallFailed."""

    def __init__(self, base_urls: tuple[str, ...], token: str, upload_max_bytes: int) -> None:
        self.upload_max_bytes = upload_max_bytes
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
            raise CallFailed(_message(response))
        return response.json() if response.content else None

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

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        for base_url in self._base_urls:
            try:
                return self._client.request(method, base_url + path, **request)
            except httpx.ConnectError:
                continue  # another instance may be up
            except httpx.HTTPError as exc:
                raise CallFailed("kb did not answer: look at its log.") from exc
        where = ", ".join(self._base_urls)
        raise CallFailed(f"kb cannot be reached at {where}: is Trivet running? (make run)")


def _message(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"kb answered with status {response.status_code}."
