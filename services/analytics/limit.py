"""How often one address may vote."""

from __future__ import annotations

import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from services.kernel.errors import RateLimited


class AddressLimiter:
    """At most so many calls a minute for each address, counted in this process."""

    def __init__(self, per_minute: int) -> None:
        self._item = RateLimitItemPerMinute(per_minute)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def admit(self, address: str) -> None:
        """Counts a call. Raises RateLimited, which says when to come again."""
        if self._limiter.hit(self._item, address):
            return
        resets_at = self._limiter.get_window_stats(self._item, address).reset_time
        raise RateLimited(
            "Too many votes from this address.", retry_after_seconds=resets_at - time.time()
        )
