"""`make check` and `make test`: all sections run, and one that fails fails the whole."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.stack import machine
from scripts.stack.console import Problem, command, say, step
from scripts.stack.nginx_binary import apt_install
from scripts.stack.places import PYTHON, ROOT
from scripts.stack.processes import succeeds

_CODE = ["services", "scripts", "bench", "tests", "examples"]
_WORKERS = ["-n", "3", "--dist", "loadfile"]  # more than two cores: these tests wait, too
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FONT = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")


@dataclass(frozen=True)
class Section:
    name: str
    command: Sequence[str]


def _python(*arguments: str) -> list[str]:
    return [str(PYTHON), "-m", *arguments]


CHECKS = [
    Section("style: ruff", _python("ruff", "check", *_CODE)),
    Section("format: ruff", _python("ruff", "format", "--check", *_CODE)),
    Section("types: mypy --strict", _python("mypy", *_CODE)),
    Section("types: TypeScript", ["npm", "run", "check", "--workspace", "web"]),
]
UNIT_TESTS = [
    Section("web unit tests", ["npm", "test", "--workspace", "web"]),
    Section("unit tests", _python("pytest", *_WORKERS, "-m", "not (process or browser or stack)")),
]
PROCESS_TESTS = [
    Section(
        "tests of whole services",
        _python("pytest", *_WORKERS, "-m", "process and not (browser or stack)"),
    ),
    # Apart: Playwright keeps an event loop running, and other tests run their own.
    Section("tests of pages", _python("pytest", *_WORKERS, "-m", "browser and not stack")),
]
STACK_TESTS = [Section("tests of the whole stack", _python("pytest", "-m", "stack"))]


def main() -> None:
    wanted = sys.argv[1:]
    if wanted == ["check"]:
        _run_all(CHECKS)
    elif wanted == ["test", "unit"]:
        _run_all([*CHECKS, *UNIT_TESTS])
    elif wanted == ["test"]:
        _install_browser()
        _run_all([*CHECKS, *UNIT_TESTS, *PROCESS_TESTS, *STACK_TESTS])
    else:
        raise Problem("this takes check, test or test unit")


def _run_all(sections: Sequence[Section]) -> None:
    verdicts = [(section.name, *_run(section)) for section in sections]
    say("\n── verdict")
    for name, passed, seconds in verdicts:
        say(f"  {'ok    ' if passed else 'FAILED'}  {name} ({seconds:.0f} s)")
    failed = sum(not passed for _, passed, _ in verdicts)
    say(f"sections: {len(verdicts) - failed} passed, {failed} failed")
    if failed:
        sys.exit(1)


def _run(section: Section) -> tuple[bool, float]:
    say(f"\n── {section.name}")
    started = time.monotonic()
    # Bytecode that nobody keeps is made anew in each of the hundreds of processes that tests start.
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        section.command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, check=False
    )
    return done.returncode == 0, time.monotonic() - started


def _install_browser() -> None:
    """Chromium, and a font with Chinese characters, for the tests that look at pages."""
    missing = [] if any(shutil.which(name) for name in _BROWSERS) else ["chromium"]
    if not _FONT.exists():
        missing.append("fonts-wqy-microhei")
    if not succeeds([PYTHON, "-m", "playwright", "--version"]):
        missing.append("libatomic1")  # Playwright's driver is linked to it, a small Debian has none
    if not missing:
        return
    if not (machine.is_root() and machine.has_apt()):
        raise Problem(f"the tests need {' and '.join(missing)}: install them, then run this again")
    with step(f"{' and '.join(missing)}, by apt (90 MB, once)"):
        apt_install(*missing)


if __name__ == "__main__":
    command(main)
