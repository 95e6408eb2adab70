"""What keys spend, gathered in memory and written down every other second, by a thread."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError

from services.llm_proxy.keys.key import text_of
from services.llm_proxy.keys.store import KeyStore, Spending
from services.llm_proxy.providers.base import Usage

WRITE_SECONDS = 2.0  # budgets do not wait for it: they are counted in shared memory
_DAY_SECONDS = 86400
_NOTHING = Usage(0, 0)
_log = logging.getLogger(__name__)


class Ledger:
    """Adds up by key and UTC day: bounded by the number of keys. Use on one event loop."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._writing = asyncio.Lock()
        self._spending: dict[tuple[str, float], Spending] = {}

    def add(self, key_id: str, usage: Usage | None, cost_usd: float) -> None:
        """One call of a key is over."""
        now = time.time()
        place = (key_id, now // _DAY_SECONDS)
        spending = self._spending.get(place)
        if spending is None:
            day = datetime.fromtimestamp(now, UTC).date().isoformat()
            spending = self._spending[place] = Spending(key_id, day)
        told = usage or _NOTHING
        spending.add(1, told.input_tokens, told.output_tokens, cost_usd)

    async def keep(self) -> None:
        """Write down what has come together, again and again, until cancelled."""
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            await asyncio.shield(self.write())  # what is half written would be counted twice

    async def write(self) -> None:
        """Write down what has come together; what cannot be written waits for the next time."""
        async with self._writing:
            taken, self._spending = self._spending, {}
            if not taken:
                return
            now = text_of(datetime.now(UTC))
            used = dict.fromkeys((item.key_id for item in taken.values()), now)
            try:
                await to_thread.run_sync(self._store.write_down, list(taken.values()), used)
            except SQLAlchemyError as exc:
                _log.error("spending cannot be written down", exc_info=exc)
                self._put_back(taken)

    def _put_back(self, taken: Mapping[tuple[str, float], Spending]) -> None:
        for place, item in taken.items():
            newer = self._spending.setdefault(place, item)
            if newer is not item:
                newer.add(item.calls, item.input_tokens, item.output_tokens, item.cost_usd)
