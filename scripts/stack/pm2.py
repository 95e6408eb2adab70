"""PM2 by its command line: what runs, start, reload, delete.

It is called with a clean environment, because it keeps what it is given and writes it to a dump.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.stack.applications import clean_environ
from scripts.stack.console import Problem
from scripts.stack.places import NODE_MODULES, ROOT

_BINARY = NODE_MODULES / "pm2" / "bin" / "pm2"
_ECOSYSTEM = ROOT / "ecosystem.config.js"
_NAMESPACE = "trivet"
_TIMEOUT_SECONDS = 300


EXIT_CONFIGURATION = 78  # services/kernel/server.py


@dataclass(frozen=True)
class Process:
    """One line of `pm2 list`."""

    name: str
    id: int
    pid: int
    status: str
    memory_bytes: int
    restarts: int
    root: Path
    started_with: str
    exit_code: int | None
    is_ours: bool
    log: Path

    @property
    def is_of_this_checkout(self) -> bool:
        return self.is_ours and self.root == ROOT

    @property
    def is_down_for_good(self) -> bool:
        """Whether PM2 will not start it again.

        One that ended with 78 says "waiting restart" for ever, since it has a growing delay.
        """
        ended = self.pid == 0 and self.exit_code == EXIT_CONFIGURATION
        return ended or self.status in {"errored", "stopped"}


def home() -> Path:
    """PM2's folder: the user's own, unless PM2_HOME names another."""
    return Path(os.environ.get("PM2_HOME") or Path.home() / ".pm2")


def is_running() -> bool:
    """Whether PM2's daemon lives. Asking PM2 itself would start it."""
    try:
        pid = int((home() / "pm2.pid").read_text(encoding="ascii"))
        return b"PM2" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return False


def processes() -> list[Process]:
    """All that PM2 knows, other people's applications included; empty without a daemon."""
    if not is_running():
        return []
    written = _pm2("jlist")
    start = written.find("[{") if "[{" in written else written.rfind("[]")
    return [_process(entry) for entry in json.loads(written[start:])]


def ours() -> list[Process]:
    """The processes of this checkout."""
    return [process for process in processes() if process.is_of_this_checkout]


def start(names: Sequence[str]) -> None:
    """Starts applications and waits until each says that it is ready, or gives up."""
    if names:
        _pm2("start", _ECOSYSTEM, "--only", ",".join(names), "--silent")


def reload(names: Sequence[str]) -> None:
    """Instance after instance, so that one of them always answers. Takes new settings and code."""
    if names:
        _pm2("reload", _ECOSYSTEM, "--only", ",".join(names), "--update-env", "--silent")


def delete(ids: Sequence[int]) -> None:
    """Stops processes and forgets them."""
    if ids:
        _pm2("delete", *map(str, ids), "--silent")


def end() -> None:
    """Ends the daemon. Only when nothing else runs under it."""
    _pm2("kill", "--silent")


def _pm2(*arguments: str | Path) -> str:
    node = shutil.which("node")
    if node is None or not _BINARY.exists():
        raise Problem("PM2 is not installed: run `make run`")
    try:
        done = subprocess.run(
            [node, str(_BINARY), *map(str, arguments)],
            cwd=ROOT,
            env={**clean_environ(), "PM2_DISABLE_VERSION_CHECK": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise Problem(f"PM2 did not answer: see {home() / 'pm2.log'}") from exc
    if done.returncode != 0 and arguments[0] in {"jlist", "kill"}:
        raise Problem(f"PM2 failed to {arguments[0]}: see {home() / 'pm2.log'}")
    return done.stdout


def _process(entry: dict[str, Any]) -> Process:
    described = entry["pm2_env"]
    return Process(
        name=entry["name"],
        id=entry["pm_id"],
        pid=entry.get("pid") or 0,
        status=described["status"],
        memory_bytes=entry.get("monit", {}).get("memory", 0),
        restarts=described.get("restart_time", 0),
        root=Path(described.get("pm_cwd", "/")),
        started_with=described.get("TRIVET_STARTED_WITH", ""),
        exit_code=described.get("exit_code"),
        is_ours=described.get("namespace") == _NAMESPACE,
        log=Path(described.get("pm_err_log_path", "/dev/null")),
    )
