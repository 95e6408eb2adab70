"""What makes a visitor's id of an address: a salt that lives for one day.

It is random, lies in a file that the services share (mode 0600), and is deleted with its day: from
then on nobody, we included, can tell which address an id was made of, or whether the ids of two
days are one visitor. Umami does the same: https://umami.is/docs/faq
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from services.kernel.auth import ensure_token

_PREFIX = "visitor-salt-"


class DailySalt:
    """The salts in `folder`; the first call of a day reads or makes that day's file, and deletes
    those of the days before."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._day: date | None = None
        self._value = b""

    def of(self, day: date) -> bytes:
        """The salt of a day (UTC), 43 bytes."""
        if day != self._day:
            name = f"{_PREFIX}{day:%Y%m%d}"
            self._value = ensure_token(self._folder / name).encode()
            self._day = day
            for path in self._folder.glob(f"{_PREFIX}*"):
                if path.name < name:
                    path.unlink(missing_ok=True)
        return self._value
