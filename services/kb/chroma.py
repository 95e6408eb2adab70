"""`python -m services.kb.chroma FOLDER PORT`: the Chroma server, which no damaged folder stops.

Chroma ends at once when its SQLite file is damaged, and would do so for ever. All that it holds is
made of kb's own database, so a damaged folder is put aside (the last one is kept, to be looked at)
and kb fills the new one from the vectors that it has.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

_DATABASE = "chroma.sqlite3"


def put_aside_if_damaged(folder: Path) -> bool:
    """Moves a folder whose database cannot be read to `<folder>.damaged`; True when it did."""
    database = folder / _DATABASE
    if not database.is_file() or _is_sound(database):
        return False
    aside = folder.with_name(f"{folder.name}.damaged")
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    return True


def _is_sound(database: Path) -> bool:
    try:
        with closing(sqlite3.connect(database)) as connection:
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError:
        return False
    return bool(answer == "ok")


def main(folder: Path, port: int) -> None:
    """Becomes the server."""
    if put_aside_if_damaged(folder):
        print("chroma's folder was damaged and is put aside: kb fills a new one", file=sys.stderr)
    program = str(Path(sys.executable).with_name("chroma"))
    arguments = ("run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port))
    os.execv(program, (program, *arguments))  # noqa: S606  # our own program


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
