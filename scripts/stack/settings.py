"""The settings of the deployment itself, beside those that all services share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.stack.console import Problem
from scripts.stack.places import ROOT
from services.kernel.errors import ConfigurationError
from services.kernel.settings import CommonSettings, load_environ, read_settings, setting


@dataclass(frozen=True, kw_only=True)
class StackSettings(CommonSettings):
    """What scripts/ reads: nginx, certificates, mirrors."""

    listen_address: str = setting(
        "TRIVET_LISTEN_ADDRESS", "", "Address on which nginx listens. Empty: all of the machine's."
    )
    redirect_port: int = setting(
        "TRIVET_REDIRECT_PORT",
        80,
        "Port on which nginx sends visitors on to HTTPS, once DOMAIN is set.",
        minimum=1,
        maximum=65535,
    )
    https_port: int = setting(
        "TRIVET_HTTPS_PORT",
        443,
        "Port of nginx for HTTPS, once DOMAIN is set.",
        minimum=1,
        maximum=65535,
    )
    rate_per_second: int = setting(
        "TRIVET_RATE_PER_SECOND",
        50,
        "Requests a second from one address that nginx lets through.",
        minimum=1,
    )
    rate_burst: int = setting(
        "TRIVET_RATE_BURST", 200, "Requests from one address above that rate, at once.", minimum=1
    )
    chroma_url: str = setting(
        "KB_CHROMA_URL", "", "Address of a Chroma server elsewhere. Empty: one is started here."
    )
    nginx_binary: str = setting(
        "NGINX_BIN", "", "Path of the nginx to use. Empty: the machine's, or one is installed."
    )
    pypi_index_url: str = setting(
        "TRIVET_PYPI_INDEX_URL", "", "Mirror of PyPI (its simple index).", secret=True
    )
    npm_registry: str = setting("TRIVET_NPM_REGISTRY", "", "Mirror of npm.", secret=True)
    torch_index_url: str = setting(
        "TORCH_INDEX_URL",
        "",
        "Mirror of PyTorch's CPU index. Empty: a wheel at hand, else download.pytorch.org.",
        secret=True,
    )

    @property
    def data(self) -> Path:
        return ROOT / self.data_dir

    @property
    def run(self) -> Path:
        return ROOT / self.run_dir

    @property
    def logs(self) -> Path:
        return self.run / "logs"

    @property
    def https_origin(self) -> str:
        """Host and, unless it is the usual one, port of the HTTPS site."""
        return self.domain if self.https_port == 443 else f"{self.domain}:{self.https_port}"

    @property
    def base_url(self) -> str:
        """Address of the site as a person types it, with the prefix's slash at its end."""
        if self.domain:
            return f"https://{self.https_origin}{self.prefix}"
        return f"http://{self.listen_address or '127.0.0.1'}:{self.http_port}{self.prefix}"


def read(environ: Mapping[str, str] | None = None) -> StackSettings:
    """From `.env` below the process's environment. Raises Problem with all that is wrong."""
    try:
        found = load_environ(ROOT) if environ is None else environ
        settings = read_settings(StackSettings, found)
    except ConfigurationError as exc:
        raise Problem(f"mend .env: {'; '.join(exc.problems)}") from exc
    problem = _certificate_problem(settings)
    if problem:
        raise Problem(problem)
    return settings


def _certificate_problem(settings: StackSettings) -> str:
    given = [settings.tls_certificate, settings.tls_key]
    if any(given) and not settings.domain:
        return "mend .env: TRIVET_TLS_CERTIFICATE is for a DOMAIN: set that, too"
    if any(given) and not all(given):
        return "mend .env: TRIVET_TLS_CERTIFICATE and TRIVET_TLS_KEY belong together: set both"
    if all(given) and not all((ROOT / path).is_file() for path in given):
        return "mend .env: TRIVET_TLS_CERTIFICATE or TRIVET_TLS_KEY names no file"
    return ""
