"""What every suite is told."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console


class Unavailable(Exception):
    """What a suite needs is not there; the message says what, and how to get it."""


@dataclass(frozen=True, kw_only=True)
class Options:
    folder: Path  # for the files of this run; kept afterwards
    console: Console
    quick: bool = False
    rounds: int | None = None  # None: as the suite thinks right
    peers: tuple[str, ...] = ()
    events: int | None = None  # of the analytics suite; None: as it thinks right
    golden: tuple[str, ...] = ()  # SQuAD-shaped files for kb's quality; empty: not measured
