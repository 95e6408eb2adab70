"""OpenMP's library: llama.cpp is linked to it, and a small Debian has none. torch's wheel does."""

from __future__ import annotations

import ctypes
from importlib.util import find_spec
from pathlib import Path

from services.kernel.errors import ConfigurationError

NAME = "libgomp.so.1"


def load(name: str = NAME) -> None:
    """Loads it into the process, where what is linked to it finds it by its name.

    Raises ConfigurationError when there is none.
    """
    for place in (name, *_in_torch()):
        try:
            ctypes.CDLL(str(place))
        except OSError:
            continue
        return
    raise ConfigurationError(f"{NAME} was not found: install it (Debian: apt install libgomp1)")


def _in_torch() -> list[Path]:
    package = find_spec("torch")  # looked for, never imported: that takes seconds
    folders = package.submodule_search_locations if package else None
    return [Path(folder) / "lib" / NAME for folder in folders or ()]
