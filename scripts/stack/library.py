"""Puts the sample library into the knowledge base, each part once for each version of it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from scripts.stack.console import Problem, step
from scripts.stack.places import PYTHON, ROOT
from scripts.stack.settings import StackSettings
from scripts.stack.stamps import digest_of, is_current, write

_LIBRARY = ROOT / "library"
# The page that shows the guide at the heading that a source names, relative to the site.
_READER = "read/?"


@dataclass(frozen=True)
class _Part:
    """A folder of the library, and the command of `trivet` that puts it into kb."""

    title: str
    folder: Path
    stamp: str
    command: str
    options: tuple[str, ...] = ()


_PARTS = (
    _Part(
        title="the guide, in both languages",
        folder=_LIBRARY / "guide",
        stamp="library-ingested",
        command="ingest",
        options=("--collection", "site", "--url-base", _READER),
    ),
    _Part(
        title="poems, Chinese and English",
        folder=_LIBRARY / "poems",
        stamp="poems-ingested",
        command="poems",
    ),
)


def ingest(settings: StackSettings) -> None:
    """Ingests what has changed of the library. What was deleted since is not brought back."""
    for part in _PARTS:
        stamp, digest = settings.data / part.stamp, digest_of([part.folder], *part.options)
        if is_current(stamp, digest):
            continue
        with step(f"Ingesting the sample library ({part.title})"):
            _run(part)
        write(stamp, digest)


def _run(part: _Part) -> None:
    # Not hidden behind a log: it has a progress bar of its own.
    done = subprocess.run(
        [PYTHON, "-m", "services.cli", part.command, part.folder, *part.options],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode != 0:
        raise Problem("the sample library could not be ingested: see the lines above")
