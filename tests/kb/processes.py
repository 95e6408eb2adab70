"""Real engines for kb's tests: each a process on a free port, ended by its own id."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.wait import until

ROOT = Path(__file__).parents[2]
# The packaged weights are converted once (458 MB); their sha256 is checked each time.
MODELS = Path(tempfile.gettempdir()) / f"trivet-tests-{os.getuid()}" / "models"


@contextmanager
def process(
    command: list[str], environ: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a command in the project's folder; stops it at the end, with SIGKILL if it must be."""
    with log.open("ab") as output:
        running = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environ},
            stdout=output,
            stderr=output,
        )
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGTERM)
            try:
                running.wait(15)
            except subprocess.TimeoutExpired:
                running.kill()
        running.wait(5)


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def answers(url: str) -> bool:
    """Whether a GET is answered with a status below 400."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code < 400
    except httpx.HTTPError:
        return False


def wait_for(url: str, timeout_seconds: float = 60) -> None:
    until(lambda: answers(url), timeout_seconds, f"{url} answers")


@contextmanager
def chroma(folder: Path, port: int) -> Iterator[str]:
    """The Chroma server on a folder, as PM2 starts it; gives its base URL."""
    command = python("-m", "services.kb.chroma", str(folder), str(port))
    base_url = f"http://127.0.0.1:{port}"
    with process(command, {}, folder.with_suffix(".log")):
        wait_for(f"{base_url}/api/v2/heartbeat")
        yield base_url
