"""Keys in the database. Every method is one short transaction and blocks: call it in a thread."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from services.kernel.database import migrate, open_engine, read, write
from services.kernel.errors import Conflict, NotFound
from services.llm_proxy.keys.key import text_of
from services.llm_proxy.keys.secret import digest_of, hint_of
from services.llm_proxy.keys.tables import KEYS, SPENDING
from services.llm_proxy.keys.vault import Vault

MAX_LIVE_KEYS = 1000
_SCRIPTS = Path(__file__).parents[1] / "migrations"
KeyRow = Row[Any]


@dataclass(slots=True)
class Spending:
    """What a key has spent on one UTC day, or since it was written down last."""

    key_id: str
    day: str
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0

    def add(self, calls: int, input_tokens: int, output_tokens: int, cost_usd: float) -> None:
        """More calls of the same key on the same day."""
        self.calls += calls
        self.input_tokens += input_tokens
        self.output_tokens += output_tokens
        self.cost_usd += cost_usd


@dataclass(frozen=True, slots=True)
class Spent:
    """What a key has spent so far, in US dollars; days and months are UTC's."""

    today_usd: float = 0.0
    month_usd: float = 0.0


class KeyStore:
    """`data/llm_proxy.db`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, path: Path, lock_path: Path) -> KeyStore:
        """Opens the database and brings its schema up to date; two may do so at once."""
        engine = open_engine(path, cache_mib=2, mmap_mib=0, pool_size=2)
        migrate(engine, _SCRIPTS, lock_path)
        return cls(engine)

    def close(self) -> None:
        self._engine.dispose()

    # -- reading ----------------------------------------------------------------------------------

    def every(self) -> list[KeyRow]:
        """All keys, revoked ones too, newest first."""
        with read(self._engine) as connection:
            return list(connection.execute(select(KEYS).order_by(KEYS.c.id.desc())))

    def one(self, key_id: str) -> KeyRow:
        """Raises NotFound."""
        with read(self._engine) as connection:
            return _one(connection, key_id)

    def spent(self, now: datetime) -> dict[str, Spent]:
        """What each key has spent on this day and in this month."""
        today = now.astimezone(UTC).date().isoformat()
        month = today[:8] + "01"
        in_day = func.sum(SPENDING.c.cost_usd).filter(SPENDING.c.day == today)
        in_month = func.sum(SPENDING.c.cost_usd)
        query = (
            select(SPENDING.c.key_id, in_day, in_month)
            .where(SPENDING.c.day >= month, SPENDING.c.day <= today)
            .group_by(SPENDING.c.key_id)
        )
        with read(self._engine) as connection:
            return {key: Spent(day or 0.0, all_) for key, day, all_ in connection.execute(query)}

    # -- writing ----------------------------------------------------------------------------------

    def create_virtual(self, secret: str, values: Mapping[str, Any]) -> KeyRow:
        """Keeps a virtual key. Raises Conflict when there are too many."""
        return self._create({**values, "digest": digest_of(secret), "hint": hint_of(secret)})

    def create_provider(self, secret: str, values: Mapping[str, Any], vault: Vault) -> KeyRow:
        """Keeps a provider's key. Raises Conflict where there is no vault."""
        return self._create(
            {**values, "ciphertext": vault.encrypt(secret), "hint": hint_of(secret)}
        )

    def _create(self, values: Mapping[str, Any]) -> KeyRow:
        now = datetime.now(UTC)
        key_id = f"key_{int(now.timestamp() * 1000):011x}{secrets.token_hex(4)}"
        own = {"id": key_id, "models": [], "origins": [], "created_at": text_of(now)}
        with write(self._engine) as connection:
            live = select(func.count()).where(KEYS.c.revoked_at.is_(None))
            if connection.execute(live).scalar_one() >= MAX_LIVE_KEYS:
                raise Conflict(f"There are {MAX_LIVE_KEYS} keys already: revoke some first.")
            connection.execute(KEYS.insert().values({**own, **values}))
            return _one(connection, key_id)

    def change(self, key_id: str, values: Mapping[str, Any]) -> KeyRow:
        """Sets columns of a key that has not been revoked. Raises NotFound, Conflict."""
        with write(self._engine) as connection:
            _require_live(_one(connection, key_id))
            if values:
                connection.execute(update(KEYS).where(KEYS.c.id == key_id).values(**values))
            return _one(connection, key_id)

    def rotate_virtual(self, key_id: str, secret: str, grace_seconds: int) -> KeyRow:
        """A new secret; the old one works for `grace_seconds` more."""
        until = datetime.now(UTC) + timedelta(seconds=grace_seconds)
        with write(self._engine) as connection:
            old = _one(connection, key_id)
            _require_live(old)
            values = {
                "digest": digest_of(secret),
                "hint": hint_of(secret),
                "old_digest": old.digest if grace_seconds else None,
                "old_until": text_of(until) if grace_seconds else None,
            }
            connection.execute(update(KEYS).where(KEYS.c.id == key_id).values(**values))
            return _one(connection, key_id)

    def replace_provider(self, key_id: str, secret: str, vault: Vault) -> KeyRow:
        """A provider's new key in the place of the old one. Raises Conflict without a vault."""
        values = {"ciphertext": vault.encrypt(secret), "hint": hint_of(secret)}
        return self.change(key_id, values)

    def revoke(self, key_id: str) -> None:
        """Ends a key for good; of a provider's key nothing is kept."""
        with write(self._engine) as connection:
            _one(connection, key_id)
            values = {"revoked_at": text_of(datetime.now(UTC)), "ciphertext": None}
            live = (KEYS.c.id == key_id) & KEYS.c.revoked_at.is_(None)
            connection.execute(update(KEYS).where(live).values(**values))

    def renew_encryption(self, vault: Vault) -> tuple[int, int]:
        """Encrypts all providers' keys under the first key: (how many, how many are unreadable)."""
        renewed = unreadable = 0
        with write(self._engine) as connection:
            query = select(KEYS.c.id, KEYS.c.ciphertext).where(KEYS.c.ciphertext.is_not(None))
            for key_id, ciphertext in list(connection.execute(query)):
                fresh = vault.renew(ciphertext)
                if fresh is None:
                    unreadable += 1
                    continue
                changed = update(KEYS).where(KEYS.c.id == key_id).values(ciphertext=fresh)
                connection.execute(changed)
                renewed += 1
        return renewed, unreadable

    def write_down(self, spending: Sequence[Spending], used: Mapping[str, str]) -> None:
        """Adds to what keys have spent; `used`: when they were used last."""
        with write(self._engine) as connection:
            for item in spending:
                _add(connection, item)
            for key_id, time in used.items():
                seen = update(KEYS).where(KEYS.c.id == key_id).values(last_used_at=time)
                connection.execute(seen)


def _one(connection: Connection, key_id: str) -> KeyRow:
    row = connection.execute(select(KEYS).where(KEYS.c.id == key_id)).one_or_none()
    if row is None:
        raise NotFound("There is no key of this id.")
    return row


def _require_live(row: KeyRow) -> None:
    if row.revoked_at is not None:
        raise Conflict("The key has been revoked.")


def _add(connection: Connection, item: Spending) -> None:
    postgresql = connection.dialect.name == "postgresql"
    insert = postgresql_insert(SPENDING) if postgresql else sqlite_insert(SPENDING)
    added = {
        "calls": item.calls,
        "input_tokens": item.input_tokens,
        "output_tokens": item.output_tokens,
        "cost_usd": item.cost_usd,
    }
    connection.execute(
        insert.values(key_id=item.key_id, day=item.day, **added).on_conflict_do_update(
            index_elements=["key_id", "day"],
            set_={name: SPENDING.c[name] + amount for name, amount in added.items()},
        )
    )
