"""From the settings to the values of the placeholders in deploy/nginx/."""

from __future__ import annotations

import grp
import os
import pwd
import re
import resource
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from scripts.stack.console import Problem
from scripts.stack.places import ROOT
from scripts.stack.settings import StackSettings
from scripts.stack.stamps import digest_of

_OPEN_FILES = 16384
_HTTP2_DIRECTIVE_SINCE = (1, 25, 1)
_KEEPALIVE_MIN_SINCE = (1, 27, 4)
_PREFIX = re.compile(r"/([A-Za-z0-9._~-]+/)*")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_UNSAFE_IN_PATHS = set("\"';${}\\\n")


@dataclass(frozen=True)
class Certificate:
    """Paths of a certificate chain and its key, both PEM."""

    chain: Path
    key: Path


def values(
    settings: StackSettings,
    pages: Path,
    version: tuple[int, ...],
    certificate: Certificate | None,
) -> dict[str, str]:
    """Placeholder → text. Raises Problem for a value that nginx could misread."""
    return {
        **_paths(settings, pages),
        **_prefix(settings),
        **_upstreams(settings),
        **_limits(settings),
        **_server(settings, version, certificate),
    }


def _paths(settings: StackSettings, pages: Path) -> dict[str, str]:
    return {
        "RUN_DIR": _path(settings.run),
        "LOG_DIR": _path(settings.logs),
        "WEB_ROOT": _path(settings.run / "nginx" / "pages"),
        "USER_LINE": user_line([pages, settings.run]),
    }


def _path(path: Path) -> str:
    text = str(path)
    if set(text) & _UNSAFE_IN_PATHS:
        raise Problem(f"nginx cannot read the path {text!r}: choose one without quotes, $ or ;")
    return text


def _prefix(settings: StackSettings) -> dict[str, str]:
    prefix = settings.prefix
    if not _PREFIX.fullmatch(prefix):
        raise Problem(f"TRIVET_PREFIX {prefix!r} is no path such as / or /chat/: mend .env")
    elsewhere = (
        f"location = {prefix.rstrip('/')} {{\n    return 308 {prefix};\n}}\n"
        "location / {\n    return 404;\n}"
    )
    return {
        "PREFIX": prefix,
        "PREFIX_PATTERN": re.escape(prefix),
        "PREFIX_REDIRECT": "" if prefix == "/" else elsewhere,
    }


def _upstreams(settings: StackSettings) -> dict[str, str]:
    return {
        "LLM_PROXY_SERVERS": _servers("TRIVET_LLM_PROXY_URLS", settings.llm_proxy_urls),
        "KB_SERVERS": _servers("TRIVET_KB_URLS", settings.kb_urls),
        "ANALYTICS_SERVERS": _servers("TRIVET_ANALYTICS_URLS", settings.analytics_urls),
    }


def _servers(name: str, urls: Sequence[str]) -> str:
    return "\n    ".join(f"server {_authority(name, url)} max_fails=0;" for url in urls)


def _authority(name: str, url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        port = parts.port or 80
    except ValueError:
        port = 0
    if parts.scheme != "http" or not _HOST.fullmatch(host) or not port or parts.path.strip("/"):
        raise Problem(f"{name}: nginx needs addresses such as http://10.0.0.5:8741, mend .env")
    return f"{host}:{port}"


def _limits(settings: StackSettings) -> dict[str, str]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    return {
        "OPEN_FILES": str(allowed),
        "RATE_PER_SECOND": str(settings.rate_per_second),
        "RATE_BURST": str(settings.rate_burst),
        "JSON_BODY_MAX_BYTES": str(settings.json_body_max_bytes),
        "UPLOAD_MAX_BYTES": str(settings.upload_max_bytes),
    }


def _server(
    settings: StackSettings, version: tuple[int, ...], certificate: Certificate | None
) -> dict[str, str]:
    if settings.domain and not _HOST.fullmatch(settings.domain):
        raise Problem(f"DOMAIN {settings.domain!r} is no host name: mend .env")
    modern = version >= _HTTP2_DIRECTIVE_SINCE
    https = " ssl" if modern else " ssl http2"
    return {
        "SERVER": "domain" if settings.domain else "trial",
        "DOMAIN": settings.domain,
        "HTTPS_ORIGIN": settings.https_origin,
        "LISTEN_HTTP": _listen(settings, settings.http_port),
        "LISTEN_REDIRECT": _listen(settings, settings.redirect_port),
        "LISTEN_HTTPS": _listen(settings, settings.https_port, https),
        "HTTP2_LINE": "http2 on;" if modern else "# HTTP/2 by the listen lines",
        "TLS_CERTIFICATE": _path(ROOT / certificate.chain) if certificate else "",
        "TLS_KEY": _path(ROOT / certificate.key) if certificate else "",
        "TLS_FINGERPRINT": digest_of([ROOT / certificate.chain]) if certificate else "",
        "KEEPALIVE_MIN_LINE": _keepalive_min_line(version),
    }


def _keepalive_min_line(version: tuple[int, ...]) -> str:
    if version >= _KEEPALIVE_MIN_SINCE:
        return "keepalive_min_timeout 5s;"
    return "# Not in this version of nginx."


def _listen(settings: StackSettings, port: int, options: str = "") -> str:
    address = settings.listen_address
    if address:
        if not re.fullmatch(r"[0-9A-Fa-f.:]+", address):
            raise Problem(f"TRIVET_LISTEN_ADDRESS {address!r} is no IP address: mend .env")
        host = f"[{address}]" if ":" in address else address
        return f"listen {host}:{port}{options};"
    lines = [f"listen {port}{options};"]
    if _has_ipv6():
        lines.append(f"listen [::]:{port}{options};")
    return "\n    ".join(lines)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def user_line(needed: Sequence[Path]) -> str:
    """Whom nginx's workers run as. Started by root they give up root, if they can still read."""
    if os.geteuid() != 0:
        return "# Not started by root: the workers run as whoever started nginx."
    for name in ("www-data", "nginx", "nobody"):
        group = _group_of(name)
        if group and all(_is_open_to_all(path) for path in needed):
            return f"user {name} {group};"
    return "user root;  # the checkout is closed to every other user"


def _group_of(user: str) -> str:
    try:
        return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
    except KeyError:
        return ""


def _is_open_to_all(path: Path) -> bool:
    existing = [p for p in (path, *path.parents) if p.exists()]
    return all(p.stat().st_mode & 0o001 for p in existing)
