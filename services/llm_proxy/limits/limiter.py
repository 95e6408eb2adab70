"""What the gateway sees of a limiter; another store (Redis, say) would stand behind the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.llm_proxy.limits.limit import Claim, Grant, Refusal


class Limiter(Protocol):
    """Counts for all instances together. Use on one event loop."""

    async def admit(self, claims: Sequence[Claim], tokens: int = 0) -> Grant | Refusal:
        """Counts a call against all claims, or against none when one of them is used up.

        `tokens` is what the call is expected to take. Raises Overloaded when the counts cannot be
        reached in time.
        """
        ...

    def settle(self, grant: Grant, tokens: int | None, cost_usd: float) -> None:
        """The call is over: its place is free, its true tokens (None: as expected) and its cost
        are counted. Never blocks, never raises; call it once."""
        ...

    def has_spent(self, subject: str, day_usd: float, month_usd: float) -> None:
        """What a key has spent today and this month as far as is written down; less than what is
        counted already changes nothing."""
        ...
