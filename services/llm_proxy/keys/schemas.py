"""Wire types of `/api/llm/keys`."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    model_validator,
)

from services.llm_proxy.keys.key import KeyKind, text_of
from services.llm_proxy.keys.store import KeyRow, Spent

MAX_GRACE_SECONDS = 30 * 86400
_MAX_COUNT = 10**9
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")


def _origin(text: str) -> str:
    if not _ORIGIN.fullmatch(text):
        raise ValueError("an origin is like https://www.example.org, in lower case, without a path")
    return text


def _plausible(time: datetime) -> datetime:
    if not 2000 <= time.year < 9000:  # beyond, arithmetic with time zones overflows
        raise ValueError("must be a time between the years 2000 and 9000")
    return time


Name = Annotated[StrictStr, Field(min_length=1, max_length=200)]
Model = Annotated[StrictStr, Field(min_length=1, max_length=256)]
Origin = Annotated[StrictStr, Field(max_length=300), AfterValidator(_origin)]
Count = Annotated[StrictInt, Field(ge=1, le=_MAX_COUNT)]
Usd = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
ProviderSecret = Annotated[StrictStr, Field(min_length=1, max_length=4096, pattern=r"^[!-~]+$")]


class _Limited(BaseModel):
    """Limits of a virtual key; null: none. Budgets are of UTC's days and months."""

    model_config = ConfigDict(extra="forbid")

    models: Annotated[list[Model], Field(max_length=200)] | None = None
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    concurrent: Annotated[StrictInt, Field(ge=1, le=100_000)] | None = None
    daily_budget_usd: Usd | None = None
    monthly_budget_usd: Usd | None = None
    expires_at: Annotated[AwareDatetime, AfterValidator(_plausible)] | None = None
    origins: Annotated[list[Origin], Field(max_length=50)] | None = None
    assistant: Name | None = None
    visitor_requests_per_minute: Count | None = None


class KeyBody(_Limited):
    """A new key. `application`: for programs; `publishable`: for pages of `origins`, to talk with
    `assistant`; `provider`: a provider's own key, `value`, which is stored encrypted."""

    kind: KeyKind = "application"
    name: Name
    provider: Name | None = None
    value: ProviderSecret | None = Field(default=None, repr=False)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> KeyBody:
        required = _REQUIRED[self.kind]
        missing = [name for name in sorted(required) if not getattr(self, name)]
        if missing:
            raise ValueError(f"a key of kind {self.kind} needs {' and '.join(missing)}")
        given = {name for name in self.model_fields_set if getattr(self, name) is not None}
        foreign = sorted(given - {"kind", "name"} - required - _ALLOWED[self.kind])
        if foreign:
            raise ValueError(f"a key of kind {self.kind} takes no {' and no '.join(foreign)}")
        return self


_COMMON_LIMITS = {
    "requests_per_minute",
    "tokens_per_minute",
    "concurrent",
    "daily_budget_usd",
    "monthly_budget_usd",
    "expires_at",
}
_REQUIRED: dict[KeyKind, set[str]] = {
    "application": set(),
    "publishable": {"origins", "assistant"},
    "provider": {"provider", "value"},
}
_ALLOWED: dict[KeyKind, set[str]] = {
    "application": {*_COMMON_LIMITS, "models"},
    "publishable": {*_COMMON_LIMITS, "visitor_requests_per_minute"},
    "provider": set(),
}


class KeyPatch(_Limited):
    """What is to change; null takes a limit away. Fields that are left out stay."""

    name: Name | None = None

    def changes_for(self, kind: str) -> dict[str, Any]:
        """The columns to set. Raises ValueError for one that keys of this kind do not have."""
        allowed = {"name", *_ALLOWED[kind], *_REQUIRED[kind]}  # type: ignore[index]  # a KeyKind
        foreign = sorted(self.model_fields_set - allowed)
        if foreign:
            raise ValueError(f"a key of kind {kind} takes no {' and no '.join(foreign)}")
        values = {name: getattr(self, name) for name in self.model_fields_set}
        if "models" in values and values["models"] is None:
            values["models"] = []
        for name in ("name", "origins", "assistant"):
            if name in values and not values[name]:
                raise ValueError(f"{name} must not be empty")
        return values


class RotateBody(BaseModel):
    """`grace_seconds`: how long the old secret works beside the new one. `value`: the new key of
    a provider."""

    model_config = ConfigDict(extra="forbid")

    grace_seconds: Annotated[StrictInt, Field(ge=0, le=MAX_GRACE_SECONDS)] = 0
    value: ProviderSecret | None = Field(default=None, repr=False)


class KeyItem(BaseModel):
    """A key as it is listed: its secret only as a hint."""

    id: str
    kind: KeyKind
    name: str
    hint: str
    provider: str | None
    models: list[str]
    origins: list[str]
    assistant: str | None
    requests_per_minute: int | None
    tokens_per_minute: int | None
    concurrent: int | None
    daily_budget_usd: float | None
    monthly_budget_usd: float | None
    visitor_requests_per_minute: int | None
    spent_today_usd: float
    spent_this_month_usd: float
    created_at: str
    last_used_at: str | None
    expires_at: str | None
    old_secret_until: str | None
    revoked_at: str | None


class KeyCreated(KeyItem):
    """A key with its secret, which is shown this one time."""

    key: str


class KeyList(BaseModel):
    items: list[KeyItem]
    next_cursor: None = None


class EncryptionRenewed(BaseModel):
    """How many providers' keys are encrypted under FERNET_KEY's first key now."""

    renewed: int
    unreadable: int


class VisitorBody(BaseModel):
    """`token`: an older one, so that the visitor stays the same."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[StrictStr, Field(max_length=1024)] | None = None


class VisitorToken(BaseModel):
    """Sent as `Authorization: Bearer …` from pages of the same origin, until it expires."""

    token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  # a word, no password
    expires_in_seconds: int
    assistant: str


def described(row: KeyRow, spent: Spent) -> dict[str, Any]:
    """A row of the table as the fields of a `KeyItem`."""
    values = {name: getattr(row, name) for name in KeyItem.model_fields if hasattr(row, name)}
    return {
        **values,
        "spent_today_usd": spent.today_usd,
        "spent_this_month_usd": spent.month_usd,
        "old_secret_until": row.old_until,
    }


def stored(values: dict[str, Any]) -> dict[str, Any]:
    """Wire values as the table keeps them: times as text."""
    return {
        name: text_of(value) if isinstance(value, datetime) else value
        for name, value in values.items()
    }
