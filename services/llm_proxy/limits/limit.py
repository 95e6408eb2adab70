"""The values that a limiter takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Kind = Literal["requests", "tokens", "concurrent", "daily_budget", "monthly_budget"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one subject may use; None: as much as it likes. Days and months are UTC's."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrent: int | None = None
    daily_usd: float | None = None
    monthly_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One subject's share in a call. `key`: the subject is a key, which is never forgotten for
    want of room, as addresses and visitors may be."""

    subject: str
    limits: Limits
    key: bool = False


class Room(NamedTuple):
    """What is left of a minute's limit; `reset_seconds`: until all of it is free again."""

    limit: int
    remaining: int
    reset_seconds: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing was counted: `claim` has used up its limit of this kind."""

    claim: Claim
    kind: Kind
    retry_after_seconds: float


@dataclass(slots=True)
class Grant:
    """A call that was let in and counted. `mark` is the limiter's own note for settling it."""

    claims: Sequence[Claim]
    tokens: int
    requests_room: Room | None = None
    tokens_room: Room | None = None
    mark: Any = None
