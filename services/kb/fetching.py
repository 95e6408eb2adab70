"""A page or a file from the web, without letting anyone reach into our own network.

A name is resolved once, every address of it is checked, and the connection goes to a checked one:
otherwise a name could answer with another address the second time. Each redirect is a new address.
https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path, PurePosixPath
from urllib.parse import urljoin, urlsplit

import httpx
from anyio import open_file

from services.kb.extraction.formats import suffix_for, supported_suffixes
from services.kernel import VERSION
from services.kernel.errors import Unprocessable

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_MAX_REDIRECTS = 5
_CONNECT_SECONDS = 10.0
_VAGUE_TYPES = ("", "text/plain", "application/octet-stream", "binary/octet-stream")
# Addresses of IPv6 that carry one of IPv4: NAT64, 6to4, Teredo.
_TUNNELS = tuple(map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))
_PRIVATE = "The address leads into a private network."


@dataclass(frozen=True)
class Fetched:
    """What lies in the file now. `file_name` tells its format; `charset` is empty where the server
    does not say it."""

    file_name: str
    charset: str


@dataclass(frozen=True)
class Fetcher:
    """`allowed`: networks that may be reached although they are private."""

    max_bytes: int
    seconds: float
    allowed: Sequence[Network] = ()

    async def fetch(self, url: str, path: Path) -> Fetched:
        """Puts what lies at the URL into the file. Raises Unprocessable, with the reason."""
        try:
            async with asyncio.timeout(self.seconds):
                return await self._followed(url, path)
        except TimeoutError as exc:
            raise Unprocessable(f"The address did not answer within {self.seconds:g} s.") from exc
        except httpx.HTTPError as exc:
            raise Unprocessable("The address cannot be reached.") from exc

    async def _followed(self, url: str, path: Path) -> Fetched:
        timeout = httpx.Timeout(self.seconds, connect=_CONNECT_SECONDS)
        async with httpx.AsyncClient(timeout=timeout, trust_env=False) as client:
            for _ in range(_MAX_REDIRECTS + 1):
                request = await self._request(client, url)
                response = await client.send(request, stream=True)
                try:
                    if not response.has_redirect_location:
                        return await self._saved(response, url, path)
                    url = urljoin(url, response.headers["location"])
                finally:
                    await response.aclose()
        raise Unprocessable(f"The address redirects more than {_MAX_REDIRECTS} times.")

    async def _request(self, client: httpx.AsyncClient, url: str) -> httpx.Request:
        """A request to a checked address, under the name that was asked for."""
        host, port = _target(url)
        address = await self._checked(host, port)
        asked = httpx.URL(url)
        literal = f"[{address}]" if address.version == 6 else str(address)
        return client.build_request(
            "GET",
            asked.copy_with(host=literal, fragment=None),
            headers={
                "Host": asked.netloc.decode("ascii"),
                "User-Agent": f"Trivet/{VERSION}",
                "Accept-Encoding": "identity",
            },
            extensions={"sni_hostname": asked.raw_host.decode("ascii")},
        )

    async def _checked(self, host: str, port: int) -> Address:
        """An address of the host, of IPv4 where there is one; all of them must be fit to reach."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as exc:
            raise Unprocessable("The address has no known host.") from exc
        addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        if not addresses or not all(self._is_fit(address) for address in addresses):
            raise Unprocessable(_PRIVATE)
        return min(addresses, key=lambda address: address.version)

    def _is_fit(self, address: Address) -> bool:
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if any(address in network for network in self.allowed):
            return True
        tunnelled = any(address in network for network in _TUNNELS)
        return address.is_global and not address.is_multicast and not tunnelled

    async def _saved(self, response: httpx.Response, url: str, path: Path) -> Fetched:
        if response.status_code != httpx.codes.OK:
            raise Unprocessable(f"The address answers with status {response.status_code}.")
        file_name = _file_name(url, response.headers.get("content-type", ""))
        taken = 0
        async with await open_file(path, "wb") as file:
            async for chunk in response.aiter_bytes():
                taken += len(chunk)
                if taken > self.max_bytes:
                    raise Unprocessable(f"The file is larger than {self.max_bytes} bytes.")
                await file.write(chunk)
        return Fetched(file_name, response.charset_encoding or "")


def networks(text: str) -> tuple[Network, ...]:
    """Networks in CIDR notation, separated by commas. Raises ValueError."""
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError:
        raise ValueError("is not a list of networks such as 10.0.0.0/8") from None


def _target(url: str) -> tuple[str, int]:
    """(host, port). Raises Unprocessable."""
    with suppress(ValueError):
        parts = urlsplit(url.strip())
        if parts.username is not None or parts.password is not None:
            raise Unprocessable("An address with a name and password is not accepted.")
        if parts.scheme in ("http", "https") and parts.hostname:
            return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    raise Unprocessable("The address is not a URL that begins with http:// or https://.")


def _file_name(url: str, content_type: str) -> str:
    """A name with the suffix of the format: by the type, or by the URL where the type is vague."""
    path = PurePosixPath(urlsplit(url).path)
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in _VAGUE_TYPES and path.suffix.lower() in supported_suffixes():
        return f"page{path.suffix.lower()}"
    suffix = suffix_for(media_type)
    if not suffix:
        shown = media_type or "no type"
        raise Unprocessable(f"The address gives {shown}, which cannot be read.")
    return f"page{suffix}"
