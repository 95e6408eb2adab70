"""The whole stack for tests: a copy of the checkout, started by `make run` on ports of its own.

The copy shares `.venv` and `node_modules` with the checkout and has everything else for itself:
`.env`, data, run folder, PM2. Vendors' addresses lead to a mock vendor, their keys are canaries.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from scripts.stack.mirrors import read_mirrors
from scripts.stack.node_packages import install
from scripts.stack.places import ROOT
from tests.mock_vendor.server import Vendor, running_vendor

# Planted where secrets lie; no response, log, dump or database may ever hold one of them.
CANARIES = {
    "DOUBAO_API_KEY": "canary-doubao-0b7e3f",
    "DASHSCOPE_API_KEY": "canary-dashscope-51ac9d",
    "DEEPSEEK_API_KEY": "canary-deepseek-c20f44",
    "OPENAI_API_KEY": "canary-openai-9d1e07",
}
SHELL_CANARIES = {
    "PLANTED_SECRET": "canary-shell-secret-77aa",
    "AWS_SECRET_ACCESS_KEY": "canary-shell-aws-18c2",
    "SOME_PASSWORD": "canary-shell-password-e0e0",
    "DATABASE_DSN": "postgres://u:canary-shell-dsn-4b4b@127.0.0.1/x",
}
_RUN_SECONDS = 600
_PORTS = range(20_000, 31_000)  # below the ports that the kernel hands to clients


@dataclass(frozen=True)
class Stack:
    """A running stack, and the commands that people use on it."""

    root: Path
    pm2_home: Path
    vendor: Vendor
    written: dict[str, str] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        """The site without a slash at its end, to be followed by a path of the contract."""
        return f"http://127.0.0.1:{self.written['TRIVET_HTTP_PORT']}"

    @property
    def data_dir(self) -> Path:
        return self.root / "data"

    @property
    def run_dir(self) -> Path:
        return self.root / "run"

    @property
    def admin_token(self) -> str:
        return (self.data_dir / "admin-token").read_text().strip()

    @property
    def service_token(self) -> str:
        return (self.data_dir / "service-token").read_text().strip()

    @property
    def admin(self) -> dict[str, str]:
        """Headers of the administrator."""
        return {"Authorization": f"Bearer {self.admin_token}"}

    @property
    def canaries(self) -> set[str]:
        """What must never be seen anywhere."""
        planted = {*CANARIES.values(), *SHELL_CANARIES.values()}
        return planted | {self.admin_token, self.service_token}

    @property
    def ports(self) -> set[int]:
        """Every port that the stack listens on."""
        bases = [int(v) for k, v in self.written.items() if k.endswith("_PORT")]
        services = [int(self.written[k]) for k in ("LLM_PROXY_PORT", "KB_PORT", "ANALYTICS_PORT")]
        return {*bases, *(base + 1000 for base in services)}

    @property
    def environ(self) -> dict[str, str]:
        """The shell's environment, with secrets in it that have no business anywhere."""
        kept = {k: os.environ[k] for k in ("PATH", "HOME", "LANG", "NGINX_BIN") if k in os.environ}
        numerics = {k: v for k, v in os.environ.items() if k.startswith("OPENBLAS_")}
        return {**kept, **numerics, **SHELL_CANARIES, "PM2_HOME": str(self.pm2_home)}

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs a command in the checkout's copy; what it says is in the failure."""
        done = subprocess.run(
            arguments,
            cwd=self.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_RUN_SECONDS,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{arguments} failed:\n{done.stdout}\n{done.stderr}")
        return done

    def pm2(self, *arguments: str) -> str:
        return self.command("node_modules/.bin/pm2", *arguments).stdout

    def processes(self) -> list[dict[str, Any]]:
        """What `pm2 jlist` says."""
        found: list[dict[str, Any]] = json.loads(self.pm2("jlist", "--silent"))
        return found

    def write_env(self, **changes: str) -> None:
        """Edits `.env`; an empty value takes a line out."""
        self.written.update(changes)
        lines = [f"{name}={value}" for name, value in self.written.items() if value]
        (self.root / ".env").write_text("\n".join(lines) + "\n")


@contextmanager
def running_stack(settings: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """A stack from `make run` to `make stop`."""
    folder = Path(tempfile.mkdtemp(prefix="trivet-", dir="/tmp"))  # PM2's socket paths are short
    folder.chmod(0o755)  # nginx's workers are not root
    try:
        with running_vendor() as vendor:
            stack = Stack(_copy(folder / "checkout"), folder / "pm2", vendor)
            stack.write_env(**{**_environ(vendor), **(settings or {})})
            try:
                stack.command("make", "run")
                yield stack
            finally:
                stack.command("make", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """One stack for all tests that need a whole one."""
    with running_stack() as running:
        yield running


def _copy(target: Path) -> Path:
    listed = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    install(read_mirrors())  # else `make run` would do it in the copy, and empty what that links to
    for name in (".venv", "node_modules"):
        (target / name).symlink_to(ROOT / name)
    if (ROOT / "web" / "dist").exists():
        shutil.copytree(ROOT / "web" / "dist", target / "web" / "dist")
    models = target / "config" / "models.yaml"
    # Vendors have (mock) keys here, and the real local model is to answer all the same.
    lines = models.read_text().splitlines()
    lines = ["default: [local]" if line.startswith("default: [") else line for line in lines]
    models.write_text("\n".join(lines) + "\n")
    return target


def _environ(vendor: Vendor) -> dict[str, str]:
    names = [
        "TRIVET_HTTP_PORT",
        "LLM_PROXY_PORT",
        "KB_PORT",
        "ANALYTICS_PORT",
        "TRIVET_CHROMA_PORT",
        "KB_EMBEDDER_PORT",
        "LLM_PROXY_LOCAL_MODEL_PORT",
    ]
    return {
        **dict(zip(names, map(str, _free_ports(len(names))), strict=True)),
        **CANARIES,
        "DASHSCOPE_APP_ID": "words",
        "DOUBAO_BASE_URL": vendor.ark,
        "DASHSCOPE_BASE_URL": vendor.dashscope,
        "TONGYI_BASE_URL": vendor.compat,
        "DEEPSEEK_BASE_URL": vendor.deepseek,
        "OPENAI_BASE_URL": vendor.openai,
        "TRIVET_RATE_PER_SECOND": "10000",
        "TRIVET_RATE_BURST": "10000",
        "LLM_PROXY_ANONYMOUS_CHATS_PER_MINUTE": "100000",
    }


def _free_ports(count: int) -> list[int]:
    """Ports that are free, as are those of a second instance, 1000 above."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(_PORTS)
        wanted = {port - 1000, port, port + 1000}  # of another's second instance, too
        if wanted.isdisjoint(found) and _is_free(port) and _is_free(port + 1000):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
