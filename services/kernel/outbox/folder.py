"""The outbox's folder: one process at a time, by `flock`, which a dying process gives up."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_LOCK = "lock"
_MAX_SPARE_FOLDERS = 100


class LockedFolder:
    """A folder that this process holds until `release`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def release(self) -> None:
        os.close(self._descriptor)

    def remove(self) -> None:
        """Gives the folder up and takes it away; what still lies in it keeps it there."""
        (self.path / _LOCK).unlink(missing_ok=True)
        self.release()
        with suppress(OSError):
            self.path.rmdir()


def lock_folder(path: Path) -> LockedFolder | None:
    """Makes and locks a folder (mode 0700); None when another process holds it."""
    while True:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            continue  # removed by an adopter between the two lines
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if _is_at(descriptor, path / _LOCK):
            return LockedFolder(path, descriptor)
        os.close(descriptor)  # the file was removed by an adopter: ours is another one


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), found)


def claim_folder(root: Path, service: str, instance: int) -> LockedFolder:
    """The folder of an instance; when it is held (by a predecessor that still drains, or by an
    adopter), a spare one beside it, so that a start never waits."""
    name = f"{service}-{instance}"
    for spare in range(_MAX_SPARE_FOLDERS):
        folder = lock_folder(root / (f"{name}.{spare}" if spare else name))
        if folder is not None:
            return folder
    raise OSError(f"all {_MAX_SPARE_FOLDERS} outbox folders of {name} are held")


def orphan_folders(
    root: Path, service: str, instances: int, idle_before: float
) -> Iterator[LockedFolder]:
    """Folders of this service that no process holds, locked.

    Those of instances that are no longer configured come at once, as do spare ones; those of an
    instance that should be running only when nothing in them changed since `idle_before` (epoch
    seconds): it may be about to start again.
    """
    pattern = re.compile(re.escape(service) + r"-(\d+)(\.\d+)?")
    for path in sorted(root.iterdir()):
        match = pattern.fullmatch(path.name)
        if match is None:
            continue
        configured = int(match[1]) < instances and match[2] is None
        if configured and _changed_at(path) > idle_before:
            continue
        folder = lock_folder(path)
        if folder is not None:
            yield folder


def _changed_at(path: Path) -> float:
    with suppress(FileNotFoundError):
        return max(item.stat().st_mtime for item in (path, *path.iterdir()))
    return 0.0
