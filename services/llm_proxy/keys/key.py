"""A virtual key as the hot path sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from services.kernel.auth import Caller
from services.llm_proxy.limits import Claim, Limits

KeyKind = Literal["application", "publishable", "provider"]


@dataclass(frozen=True, slots=True)
class Key:
    """An application's key, or a publishable one. Times are seconds since 1970; None: for ever.

    `models` empty: all; else exact names as callers say them, `provider/*`, `assistant/NAME`.
    """

    id: str
    kind: KeyKind
    caller: Caller
    claim: Claim
    models: tuple[str, ...]
    origins: tuple[str, ...]
    assistant: str | None
    visitor_limits: Limits
    ends_at: float | None
    revoked: bool

    def allows(self, *names: str) -> bool:
        """Whether one of a model's names (as asked, as resolved) is among the key's."""
        return not self.models or any(
            name in self.models or f"{name.partition('/')[0]}/*" in self.models for name in names
        )

    @property
    def has_budget(self) -> bool:
        limits = self.claim.limits
        return limits.daily_usd is not None or limits.monthly_usd is not None


def key_of(row: Any) -> Key:
    """A row of the table as a key."""
    limits = Limits(
        row.requests_per_minute,
        row.tokens_per_minute,
        row.concurrent,
        row.daily_budget_usd,
        row.monthly_budget_usd,
    )
    kind: Literal["application", "visitor"] = (
        "application" if row.kind == "application" else "visitor"
    )
    return Key(
        id=row.id,
        kind=row.kind,
        caller=Caller(kind, row.id),
        claim=Claim(f"key:{row.id}", limits, key=True),
        models=tuple(row.models),
        origins=tuple(row.origins),
        assistant=row.assistant,
        visitor_limits=Limits(row.visitor_requests_per_minute),
        ends_at=seconds_of(row.expires_at),
        revoked=row.revoked_at is not None,
    )


def seconds_of(time: str | None) -> float | None:
    """RFC 3339 as seconds since 1970."""
    return datetime.fromisoformat(time).timestamp() if time else None


def text_of(time: datetime) -> str:
    """A time as the tables keep it: RFC 3339 in UTC with microseconds."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
