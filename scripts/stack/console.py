"""What the commands say on the terminal: steps with their time, and problems with a way out.

Standard library only.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Problem(Exception):
    """Something a person has to mend: one line that says what is wrong, and how."""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextmanager
def step(text: str) -> Iterator[None]:
    """Names a piece of work before it begins, and how long it took after."""
    started = time.monotonic()
    say(f"▸ {text}")
    yield
    say(f"  done in {time.monotonic() - started:.1f} s")


def command(work: Callable[[], None]) -> None:
    """Runs a command's work; a Problem becomes its one line on stderr and exit code 1."""
    try:
        work()
    except Problem as problem:
        sys.stderr.write(f"trivet: {problem}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("trivet: interrupted\n")
        sys.exit(130)
