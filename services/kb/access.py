"""Who may search which collection: open ones everyone, others the holders of a key of theirs.

A key is shown once and kept as its sha256; it is long and random, so that a slow hash would protect
nothing more. All instances hold the few keys in memory and look at the database once a second, so
that a key that is taken back is refused everywhere within that time.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import uuid_utils
from sqlalchemy import Connection, delete, func, insert, select
from starlette.types import Scope

from services.kb import catalogue
from services.kb.database import Database
from services.kb.models import COLLECTION_KEYS, COLLECTIONS, now
from services.kernel.auth import CHALLENGE, Caller
from services.kernel.errors import Conflict, NotFound, PermissionDenied, Unauthenticated

_log = logging.getLogger(__name__)
KEY_PREFIX = "kb_"
MAX_KEYS_PER_COLLECTION = 100
_REFRESH_SECONDS = 1.0
_HINT_CHARACTERS = 4
_TRUSTED = ("neighbour", "administrator")


@dataclass(frozen=True)
class IssuedKey:
    """A new key; `key` is shown this once."""

    id: str
    name: str
    hint: str
    created_at: str
    key: str


class KeyRing:
    """The keys and the open collections as they were at the last look."""

    def __init__(self) -> None:
        self._keys: Mapping[str, tuple[str, str]] = {}  # sha256 → (id, collection)
        self._open: frozenset[str] = frozenset()

    async def load(self, database: Database) -> None:
        """Looks at the database."""
        self._keys, self._open = await database.read(_everything)

    async def follow(self, database: Database) -> None:
        """Looks again and again, until it is cancelled."""
        while True:
            await asyncio.sleep(_REFRESH_SECONDS)
            try:
                await self.load(database)
            except Exception as exc:  # noqa: BLE001  # what was known goes on to hold
                _log.warning("the collections' keys could not be read", exc_info=exc)

    def caller(self, credential: str, _scope: Scope) -> Caller | None:
        """Who holds a key, as the kernel asks for a credential that it does not know."""
        found = self._keys.get(_hashed(credential)) if credential.startswith(KEY_PREFIX) else None
        return Caller("application", found[0]) if found else None

    def admit(self, caller: Caller, collection: str) -> None:
        """Raises Unauthenticated or PermissionDenied when the caller may not search it."""
        if caller.kind in _TRUSTED or collection in self._open:
            return
        if caller.kind == "visitor":
            raise Unauthenticated("This collection needs a credential.", headers=CHALLENGE)
        if (caller.id, collection) not in self._keys.values():
            raise PermissionDenied("The credential does not allow this collection.")


def issue(connection: Connection, collection: str, name: str) -> IssuedKey:
    """A new key for a collection. Raises NotFound; Conflict when it has too many."""
    row = catalogue.find(connection, collection)
    c = COLLECTION_KEYS.c
    count = select(func.count()).where(c.collection_id == row.id)
    if connection.execute(count).scalar_one() >= MAX_KEYS_PER_COLLECTION:
        raise Conflict(f"A collection has {MAX_KEYS_PER_COLLECTION} keys at most.")
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    issued = IssuedKey(uuid_utils.uuid7().hex, name, key[-_HINT_CHARACTERS:], now(), key)
    connection.execute(
        insert(COLLECTION_KEYS).values(
            id=issued.id,
            collection_id=row.id,
            name=name,
            key_hash=_hashed(key),
            hint=issued.hint,
            created_at=issued.created_at,
        )
    )
    return issued


def listed(connection: Connection, collection: str) -> list[Mapping[str, Any]]:
    """A collection's keys without the keys, oldest first. Raises NotFound."""
    row = catalogue.find(connection, collection)
    c = COLLECTION_KEYS.c
    query = select(c.id, c.name, c.hint, c.created_at).where(c.collection_id == row.id)
    return [dict(found._mapping) for found in connection.execute(query.order_by(c.id))]


def revoke(connection: Connection, collection: str, key_id: str) -> None:
    """Raises NotFound."""
    row = catalogue.find(connection, collection)
    c = COLLECTION_KEYS.c
    gone = connection.execute(
        delete(COLLECTION_KEYS).where(c.id == key_id, c.collection_id == row.id)
    )
    if not gone.rowcount:
        raise NotFound("There is no such key of this collection.")


def _everything(connection: Connection) -> tuple[dict[str, tuple[str, str]], frozenset[str]]:
    key, collection = COLLECTION_KEYS.c, COLLECTIONS.c
    query = select(key.key_hash, key.id, collection.name).join(
        COLLECTIONS, collection.id == key.collection_id
    )
    keys = {row.key_hash: (row.id, row.name) for row in connection.execute(query)}
    open_ones = select(collection.name).where(collection.open == 1)
    return keys, frozenset(connection.execute(open_ones).scalars())


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
