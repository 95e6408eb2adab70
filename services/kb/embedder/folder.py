"""Folders of files that are made once: whole or not there, whoever else makes them meanwhile."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def made_whole(folder: Path) -> Iterator[Path]:
    """Gives a draft beside `folder` to write into, and renames it at the end.

    Two processes may do this at once; the first one's folder stays.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.{secrets.token_hex(4)}")
    draft.mkdir()
    try:
        yield draft
        _put_in_place(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def discard(folder: Path) -> None:
    """Puts a damaged folder out of the way in one step, then deletes it."""
    if folder.exists():
        doomed = folder.with_name(f".{folder.name}.damaged")
        shutil.rmtree(doomed, ignore_errors=True)
        folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _put_in_place(draft: Path, folder: Path) -> None:
    try:
        draft.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
