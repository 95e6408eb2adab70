"""A job that one instance at a time may do: a row in the database says who, and until when."""

from __future__ import annotations

from sqlalchemy import Engine

from services.kernel.database import write

_CLAIM = """
INSERT INTO lease (name, holder, until_us, done_us) VALUES (?1, ?2, ?3, 0)
ON CONFLICT (name) DO UPDATE SET holder = ?2, until_us = ?3
WHERE until_us < ?4 OR holder = ?2
RETURNING done_us
"""


def claim(engine: Engine, name: str, holder: str, now_us: int, seconds: int) -> int | None:
    """When the job was last done (0: never), if it is the holder's from now on, else None. A holder
    that dies frees it when the time is over."""
    with write(engine) as connection:
        values = (name, holder, now_us + seconds * 1_000_000, now_us)
        found = connection.exec_driver_sql(_CLAIM, values).scalar_one_or_none()
    return None if found is None else int(found)


def release(engine: Engine, name: str, holder: str, done_us: int) -> None:
    """Gives the job free, and notes when it was done."""
    with write(engine) as connection:
        connection.exec_driver_sql(
            "UPDATE lease SET until_us = 0, done_us = ? WHERE name = ? AND holder = ?",
            (done_us, name, holder),
        )
