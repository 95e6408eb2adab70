"""What the machine must bring along: an interpreter, Node, npm, room on the disk.

Standard library only.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys

from scripts.stack.console import Problem
from scripts.stack.places import NODE_MODULES, PYTHON, ROOT
from scripts.stack.processes import output

NODE_MINIMUM = (20, 19)
_NEEDED_BYTES = 4 * 1024**3


def check() -> None:
    """Raises Problem, naming everything that is missing at once."""
    problems = [p for p in (_platform(), _python(), _node(), _npm(), _disk()) if p]
    if problems:
        raise Problem("; ".join(problems))


def is_root() -> bool:
    return os.geteuid() == 0


def has_apt() -> bool:
    return shutil.which("apt-get") is not None


def _platform() -> str:
    if platform.system() == "Linux" and platform.machine() in {"x86_64", "AMD64"}:
        return ""
    return f"Trivet runs on Linux on x86_64, this is {platform.system()} on {platform.machine()}"


def _python() -> str:
    if tuple(sys.version_info[:2]) == (3, 11):
        return ""
    return (
        f"the locked packages are for Python 3.11, this is {platform.python_version()}: install "
        "python3.11 with its venv module, or name one in TRIVET_PYTHON"
    )


def _node() -> str:
    found = re.match(r"v(\d+)\.(\d+)", output(["node", "--version"]))
    if found and (int(found[1]), int(found[2])) >= NODE_MINIMUM:
        return ""
    there = f"this is {found[0]}" if found else "none was found"
    return f"Node 20.19 or newer is needed, {there}: see https://nodejs.org/en/download"


def _npm() -> str:
    return "" if shutil.which("npm") else "npm was not found: it comes with Node"


def _disk() -> str:
    if PYTHON.exists() and NODE_MODULES.exists():
        return ""
    free = shutil.disk_usage(ROOT).free
    if free >= _NEEDED_BYTES:
        return ""
    return f"4 GB of disk are needed, {free / 1024**3:.1f} GB are free: make room"
