"""All keys in memory, so that a call needs no database; changes reach every instance at once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError

from services.kernel.errors import Unauthenticated
from services.kernel.health import Check
from services.llm_proxy.keys.key import Key, key_of, seconds_of
from services.llm_proxy.keys.secret import digest_of
from services.llm_proxy.keys.store import KeyRow, KeyStore, Spent
from services.llm_proxy.keys.vault import Vault
from services.llm_proxy.limits import Limiter

LOOK_SECONDS = 0.25
HEARING_SECONDS = 3.0
_log = logging.getLogger(__name__)


class Board(Protocol):
    """Where instances tell each other that something has changed."""

    @property
    def news(self) -> int: ...
    def announce(self) -> int: ...
    def has_heard(self, news: int) -> None: ...
    def all_have_heard(self, news: int) -> bool: ...


class Book:
    """The keys in force. `open` it once; `provider_keys` is filled in place."""

    def __init__(self, vault: Vault) -> None:
        self.provider_keys: dict[str, tuple[str, ...]] = {}
        self.by_id: Mapping[str, Key] = {}
        self.vault = vault
        self._by_digest: Mapping[str, tuple[Key, float | None]] = {}  # until when
        self._origins: frozenset[str] = frozenset()
        self._unreadable: list[str] = []
        self._reading = asyncio.Lock()
        self._store: KeyStore
        self._board: Board
        self._limiter: Limiter
        self._on_provider_keys: Callable[[], None]

    async def open(
        self,
        store: KeyStore,
        board: Board,
        limiter: Limiter,
        on_provider_keys: Callable[[], None],
    ) -> None:
        """Reads all keys. `on_provider_keys` is called, in a thread, when `provider_keys` is not
        what it was."""
        self._store, self._board, self._limiter = store, board, limiter
        self._on_provider_keys = on_provider_keys
        await self._read()

    async def watch(self) -> None:
        """Take over what other instances change, until cancelled."""
        heard = self._board.news
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            news = self._board.news
            if news == heard:
                continue
            try:
                await self._read()
            except SQLAlchemyError as exc:
                _log.error("keys cannot be read, the old ones stay", exc_info=exc)
            else:
                heard = news

    async def has_changed(self) -> None:
        """This instance has changed the database: returns when every other one knows, too."""
        news = self._board.announce()
        await self._read()
        deadline = time.monotonic() + HEARING_SECONDS
        # Other processes can set no Event of ours.
        while not self._board.all_have_heard(news) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS / 10)

    def find(self, credential: str) -> Key | None:
        """The key of a credential. Raises Unauthenticated for one that has ended."""
        found = self._by_digest.get(digest_of(credential))
        if found is None:
            return None
        key, until = found
        if key.revoked:
            raise _ended("The key has been revoked.")
        if until is not None and until <= time.time():
            raise _ended("The key has been replaced by a newer one.")
        require_unexpired(key)
        return key

    def is_origin(self, origin: str) -> bool:
        """Whether a publishable key is meant for pages of this origin."""
        return origin in self._origins

    def check(self) -> Check:
        """Degraded while a provider's key cannot be read."""
        names = ", ".join(self._unreadable)
        detail = f"FERNET_KEY does not fit the stored keys of {names}" if names else ""
        return Check(ok=not names, detail=detail, critical=False)

    async def _read(self) -> None:
        async with self._reading:  # an older state must not come after a newer one
            news = self._board.news
            rows, spent = await to_thread.run_sync(self._load)
            self._take(rows, spent)
            found = await to_thread.run_sync(self._decrypted, rows)
            if found != self.provider_keys:
                self._replace_provider_keys(found)
                await to_thread.run_sync(self._on_provider_keys)
            self._board.has_heard(news)

    def _replace_provider_keys(self, found: Mapping[str, tuple[str, ...]]) -> None:
        """In place, and never empty between: another thread may be reading them."""
        self.provider_keys.update(found)
        for name in self.provider_keys.keys() - found.keys():
            del self.provider_keys[name]

    def _load(self) -> tuple[list[KeyRow], dict[str, Spent]]:
        return self._store.every(), self._store.spent(datetime.now(UTC))

    def _take(self, rows: Sequence[KeyRow], spent: Mapping[str, Spent]) -> None:
        by_id: dict[str, Key] = {}
        by_digest: dict[str, tuple[Key, float | None]] = {}
        for row in rows:
            if row.kind == "provider":
                continue
            key = by_id[row.id] = key_of(row)
            by_digest[row.digest] = (key, None)
            if row.old_digest:
                by_digest[row.old_digest] = (key, seconds_of(row.old_until))
            if key.has_budget:
                total = spent.get(key.id, Spent())
                self._limiter.has_spent(key.claim.subject, total.today_usd, total.month_usd)
        self.by_id, self._by_digest = by_id, by_digest
        live = [key for key in by_id.values() if not key.revoked]
        self._origins = frozenset(origin for key in live for origin in key.origins)

    def _decrypted(self, rows: Sequence[Any]) -> dict[str, tuple[str, ...]]:
        """Keys of each provider, the oldest first."""
        found: dict[str, tuple[str, ...]] = {}
        unreadable = []
        for row in reversed(rows):
            if row.ciphertext is None:
                continue
            secret = self.vault.decrypt(row.ciphertext)
            if secret is None:
                unreadable.append(row.provider)
            else:
                found[row.provider] = (*found.get(row.provider, ()), secret)
        if unreadable and unreadable != self._unreadable:
            fields = {"providers": unreadable}
            _log.error("stored keys cannot be decrypted", extra={"fields": fields})
        self._unreadable = unreadable
        return found


def require_unexpired(key: Key) -> None:
    """Raises Unauthenticated for a key whose time is over."""
    if key.ends_at is not None and key.ends_at <= time.time():
        raise _ended("The key has expired.")


def _ended(message: str) -> Unauthenticated:
    return Unauthenticated(message, headers={"WWW-Authenticate": "Bearer"})
