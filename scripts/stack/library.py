"""Puts the sample library into the knowledge base, once for each version of it."""

from __future__ import annotations

import subprocess

from scripts.stack.console import Problem, step
from scripts.stack.places import PYTHON, ROOT
from scripts.stack.settings import StackSettings
from scripts.stack.stamps import digest_of, is_current, write

_GUIDE = ROOT / "library" / "guide"
_COLLECTION = "site"
# The page that shows the guide at the heading that a source names, relative to the site.
_READER = "read/?"


def ingest(settings: StackSettings) -> None:
    """Ingests library/guide when it has changed. What was deleted since is not brought back."""
    stamp, digest = settings.data / "library-ingested", digest_of([_GUIDE], _READER)
    if is_current(stamp, digest):
        return
    with step("Ingesting the sample library (the guide, in both languages)"):
        # Not hidden behind a log: it has a progress bar of its own.
        done = subprocess.run(
            [
                *(PYTHON, "-m", "services.cli", "ingest", _GUIDE),
                *("--collection", _COLLECTION, "--url-base", _READER),
            ],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode != 0:
            raise Problem("the sample library could not be ingested: see the lines above")
    write(stamp, digest)
