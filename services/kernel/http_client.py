"""Calls to neighbours over HTTP: one place that turns the client's errors into ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import httpx

from services.kernel import VERSION
from services.kernel.context import REQUEST_ID
from services.kernel.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    Overloaded,
    PayloadTooLarge,
    RateLimited,
    TrivetError,
    Unprocessable,
    UpstreamError,
    UpstreamTimeout,
)

_SAME_STATUS: dict[int, type[TrivetError]] = {
    error.status: error
    for error in (InvalidRequest, NotFound, Conflict, PayloadTooLarge, Unprocessable, RateLimited)
}


def needs_tls(urls: Iterable[str]) -> bool:
    """Whether any address is HTTPS: certificates are only then worth reading, which takes 15 ms and
    a megabyte for each client."""
    return any(url.startswith("https:") for url in urls)


class NeighbourClient:
    """A neighbour with one or more instances; one that cannot be reached is passed over.

    `base_urls` as in the settings, `token` the service token, `name` the neighbour's in errors.
    """

    def __init__(
        self, name: str, base_urls: Sequence[str], token: str, *, timeout_seconds: float
    ) -> None:
        self.name = name
        self._base_urls = tuple(url.rstrip("/") for url in base_urls)
        self._preferred = 0
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout_seconds, connect=min(2.0, timeout_seconds)),
            headers={"Authorization": f"Bearer {token}", "User-Agent": f"Trivet/{VERSION}"},
            trust_env=False,
            follow_redirects=False,
            verify=needs_tls(self._base_urls),
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        request_id: str | None = None,
        timeout_seconds: float | None = None,
    ) -> httpx.Response:
        """The answer, with a status below 400; any other becomes an error of the contract."""
        sent = {"X-Request-ID": request_id or REQUEST_ID.get(), **(headers or {})}
        sent = {name: value for name, value in sent.items() if value}
        timeout = httpx.USE_CLIENT_DEFAULT if timeout_seconds is None else timeout_seconds
        for attempt in range(len(self._base_urls)):
            number = (self._preferred + attempt) % len(self._base_urls)
            request = self._client.build_request(
                method,
                self._base_urls[number] + path,
                json=json,
                content=content,
                params=params,
                headers=sent,
                timeout=timeout,
            )
            try:
                response = await self._client.send(request)
            except httpx.ConnectError:
                continue  # nothing was sent: the next instance may take it
            except httpx.TimeoutException as exc:
                raise UpstreamTimeout(f"{self.name} did not answer in time.") from exc
            except httpx.HTTPError as exc:
                raise UpstreamError(f"the connection to {self.name} broke.") from exc
            self._preferred = number
            return self._checked(response)
        raise Overloaded(f"{self.name} cannot be reached.", retry_after_seconds=2)

    def _checked(self, response: httpx.Response) -> httpx.Response:
        status = response.status_code
        if status < 400:  # HTTP's border between yes and no
            return response
        kind = _SAME_STATUS.get(status)
        if kind is not None:
            raise kind(_message(response) or f"{self.name} refused the call.")
        if status in (503, 529):
            raise Overloaded(f"{self.name} is busy.", retry_after_seconds=2)
        if status == 504:
            raise UpstreamTimeout(f"{self.name} did not answer in time.")
        raise UpstreamError(f"{self.name} answered with status {status}.")

    async def aclose(self) -> None:
        await self._client.aclose()


def _message(response: httpx.Response) -> str:
    """A neighbour's own words: it keeps the contract, so they are fit to be shown."""
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return ""
