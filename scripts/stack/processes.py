"""Runs other programs: quietly, with a log that is shown only when something goes wrong.

Standard library only.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from scripts.stack.console import Problem, say
from scripts.stack.places import ROOT

_SIGN_OF_LIFE_SECONDS = 15.0
_TAIL_LINES = 25


def run(
    arguments: Sequence[str | Path],
    *,
    otherwise: str,
    environ: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
) -> None:
    """Runs a program to its end; says every 15 s that it goes on.

    Raises Problem(otherwise) when it fails, after showing the last lines that it wrote.
    """
    with tempfile.TemporaryFile() as log:
        code = _wait(_start(arguments, environ, cwd, log), str(arguments[0]))
        if code != 0:
            _show_tail(log)
            raise Problem(otherwise)


def succeeds(arguments: Sequence[str | Path], *, environ: Mapping[str, str] | None = None) -> bool:
    """Whether a program ends with 0; what it writes is dropped."""
    with tempfile.TemporaryFile() as log:
        return _wait(_start(arguments, environ, ROOT, log), str(arguments[0])) == 0


def output(arguments: Sequence[str | Path]) -> str:
    """What a short program writes to both its streams, or "" when it cannot be run or fails."""
    try:
        done = subprocess.run(
            [str(a) for a in arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def _start(
    arguments: Sequence[str | Path],
    environ: Mapping[str, str] | None,
    cwd: Path,
    log: IO[bytes],
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [str(a) for a in arguments],
            cwd=cwd,
            env={**os.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    except OSError as exc:
        raise Problem(f"{arguments[0]} cannot be started ({exc.strerror})") from exc


def _wait(process: subprocess.Popen[bytes], name: str) -> int:
    started = time.monotonic()
    while True:
        try:
            return process.wait(_SIGN_OF_LIFE_SECONDS)
        except subprocess.TimeoutExpired:
            say(f"  … {Path(name).name} is still at it ({time.monotonic() - started:.0f} s)")
        except BaseException:
            process.terminate()
            raise


def _show_tail(log: IO[bytes]) -> None:
    log.seek(0)
    for line in log.read().decode("utf-8", "replace").splitlines()[-_TAIL_LINES:]:
        say(f"  | {line}")
