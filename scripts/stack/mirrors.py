"""Where packages come from: the public registries, or mirrors named in the environment or `.env`.

Standard library only: this is asked before anything is installed, so it has a reader of its own for
the few names that matter then. Everything else is read by services/kernel/settings.py.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from scripts.stack.console import Problem
from scripts.stack.places import ROOT

PYTORCH_CPU_INDEX_URL = "https://download.pytorch.org/whl/cpu"


@dataclass(frozen=True)
class Mirrors:
    """Addresses of registries; empty: what pip, uv and npm are set up for on this machine."""

    pypi_index_url: str
    npm_registry: str
    torch_index_url: str

    def python_environ(self) -> dict[str, str]:
        url = self.pypi_index_url
        return {"PIP_INDEX_URL": url, "UV_DEFAULT_INDEX": url} if url else {}

    def node_environ(self) -> dict[str, str]:
        return {"npm_config_registry": self.npm_registry} if self.npm_registry else {}


def read_mirrors() -> Mirrors:
    return Mirrors(
        early_value("TRIVET_PYPI_INDEX_URL"),
        early_value("TRIVET_NPM_REGISTRY"),
        early_value("TORCH_INDEX_URL"),
    )


def early_value(name: str) -> str:
    """From the environment, which wins, or `.env`. Raises Problem when that cannot be read."""
    return os.environ.get(name) or _written().get(name, "")


def _written() -> dict[str, str]:
    path = ROOT / ".env"
    if not path.is_file():
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise Problem(".env cannot be read: it must be a text file in UTF-8") from exc
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}
