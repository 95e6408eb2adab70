"""What is sent: an origin, a target, headers and a body, and how long each phase may last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection goes; connections are only shared within one origin."""

    scheme: str
    host: str
    port: int

    @property
    def host_header(self) -> bytes:
        name = f"[{self.host}]" if ":" in self.host else self.host
        if _DEFAULT_PORTS[self.scheme] == self.port:
            return name.encode("ascii")
        return f"{name}:{self.port}".encode("ascii")


@dataclass(frozen=True, slots=True)
class Request:
    """One request, encoded. Make it with `Request.build`."""

    origin: Origin
    payload: bytes

    @classmethod
    def build(
        cls,
        method: str,
        origin: Origin,
        target: str,
        headers: Sequence[tuple[bytes, bytes]],
        body: bytes = b"",
    ) -> Request:
        """Encode a request; Host, Content-Length and Accept-Encoding are added.

        Raises ValueError when the target or a header could smuggle in another line.
        """
        lines = [
            b"%b %b HTTP/1.1\r\nhost: %b" % (method.encode(), target.encode(), origin.host_header)
        ]
        lines.extend([name + b": " + value for name, value in headers])
        lines.append(b"accept-encoding: identity\r\ncontent-length: %d\r\n\r\n" % len(body))
        head = b"\r\n".join(lines)
        breaks = len(headers) + 5
        if head.count(b"\n") != breaks or head.count(b"\r") != breaks or b"\0" in head:
            raise ValueError("a header or the target holds a line break")
        return cls(origin, head + body)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long an upstream may take. `silence` is between two pieces of the answer's body."""

    connect_seconds: float = 10.0
    first_byte_seconds: float = 120.0
    silence_seconds: float = 120.0
    total_seconds: float = 900.0


def parse_url(url: str) -> tuple[Origin, str]:
    """`https://host[:port]/base` → its origin and base path without a closing slash.

    Raises ValueError for another scheme, user names, a query or a fragment.
    """
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError("is not an http:// or https:// address")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must not hold a user name, a query or a fragment")
    host = parts.hostname.encode("idna" if not parts.hostname.isascii() else "ascii").decode()
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    return Origin(parts.scheme, host, port), parts.path.rstrip("/")
