"""All parts about keys, opened together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from services.kernel.background import background
from services.llm_proxy.keys.book import Board, Book
from services.llm_proxy.keys.ledger import Ledger
from services.llm_proxy.keys.store import KeyStore
from services.llm_proxy.keys.vault import Vault
from services.llm_proxy.keys.visitor import VisitorTokens
from services.llm_proxy.limits import Limiter


@dataclass(frozen=True, slots=True)
class Keyring:
    """What handlers need of keys."""

    store: KeyStore
    book: Book
    ledger: Ledger
    vault: Vault
    tokens: VisitorTokens


@asynccontextmanager
async def open_keyring(
    path: Path,
    lock_path: Path,
    book: Book,
    tokens: VisitorTokens,
    limiter: Limiter,
    board: Board,
    on_provider_keys: Callable[[], None],
) -> AsyncIterator[Keyring]:
    """Opens the database at `path`, reads all keys and keeps up with them inside the block."""
    store = await to_thread.run_sync(KeyStore.open, path, lock_path)
    ledger = Ledger(store)
    try:
        await book.open(store, board, limiter, on_provider_keys)
        async with background(book.watch(), "keys"), background(ledger.keep(), "ledger"):
            yield Keyring(store, book, ledger, book.vault, tokens)
    finally:
        await ledger.write()
        await to_thread.run_sync(store.close)
