"""On what, with what, and by which command the figures were made."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.nginx import binary

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("uvicorn", "uvloop", "httptools", "starlette", "orjson")


@dataclass(frozen=True)
class Machine:
    """What a reader needs to judge the figures."""

    processor: str
    cores: int
    memory_gb: float
    system: str
    versions: Sequence[tuple[str, str]]
    revision: str
    date: str
    command: str

    def sentence(self) -> str:
        versions = ", ".join(f"{name} {number}" for name, number in self.versions)
        return (
            f"`{self.command}` on {self.date}, revision {self.revision}: {self.processor}, "
            f"{self.cores} cores, {self.memory_gb:.0f} GB, {self.system}; {versions}."
        )


def examine(command: str) -> Machine:
    return Machine(
        processor=processor(),
        cores=os.cpu_count() or 1,
        memory_gb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9,
        system=f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release()}",
        versions=versions(),
        revision=revision(),
        date=time.strftime("%Y-%m-%d", time.gmtime()),
        command=command,
    )


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def versions() -> list[tuple[str, str]]:
    # Debian's build takes a seventh less time for a call than one without profile optimisation.
    builder = "the distribution's build" if sys.base_prefix == "/usr" else "a build of its own"
    found = [("Python", f"{platform.python_version()} ({builder})")]
    try:
        shown = subprocess.run([binary(), "-v"], capture_output=True, text=True, check=True)
        found.append(("nginx", shown.stderr.strip().rpartition("/")[2]))
    except (OSError, subprocess.CalledProcessError):
        found.append(("nginx", "absent"))
    for package in PACKAGES:
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return found


def revision() -> str:
    """The commit, with a plus where files differ from it."""
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        return commit + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
