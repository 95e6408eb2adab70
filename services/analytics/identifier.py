"""Identifiers as callers write them ↔ as they take little room.

Most are made by the services: hexadecimal in lower case, half as long as bytes. What is written in
any other way stays text, so that each comes back as it was sent. SQLite keeps bytes and text apart,
so one identifier has one form and an index finds it.
"""

from __future__ import annotations

import re

_HEX = re.compile(r"(?:[0-9a-f]{2}){8,32}")


def packed(identifier: str) -> bytes | str:
    """What the database holds for an identifier."""
    return bytes.fromhex(identifier) if _HEX.fullmatch(identifier) else identifier


def unpacked(value: bytes | str | None) -> str | None:
    """What was packed."""
    return value.hex() if isinstance(value, bytes) else value
