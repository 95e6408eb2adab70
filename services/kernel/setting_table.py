"""`/settings`: what a service runs with, for the administrator; secrets only as set or not set.

Nothing of a secret leaves: no value, no part of one, no length, no digest. Addresses lose what may
be a credential in them (`user:password@`, the query), absolute paths all but their last name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, Field

from services.kernel.settings import CommonSettings, Setting

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class SettingItem(BaseModel):
    """One setting as it is in force. `value` is null for a secret, whose `is_set` tells all."""

    name: str = Field(description="The variable of the environment.")
    group: Literal["common", "own"] = Field(description="Every service's, or this one's alone.")
    help: str
    value: str | None = Field(description="In force, as it would be written; null: not shown.")
    default: str | None = Field(description="As it would be written; null for what is not shown.")
    is_set: bool = Field(description="Whether there is a value, by default or given.")
    source: Literal["default", "file", "environment"] = Field(
        description="`file`: .env; `environment`: the process's own, which wins."
    )
    secret: bool
    choices: list[str]
    minimum: float | None
    maximum: float | None


class SettingList(BaseModel):
    """All settings of one service, common ones first."""

    service: str
    version: str
    instance: int
    items: list[SettingItem]
    next_cursor: None = None


def described(service: str, version: str, settings: CommonSettings) -> SettingList:
    """The settings of a running service."""
    hints = get_type_hints(type(settings))
    common = {field.name for field in fields(CommonSettings)}
    items = [
        _item(field.metadata["setting"], field.name in common, settings, field.name, hints)
        for field in fields(settings)
        if "setting" in field.metadata
    ]
    return SettingList(service=service, version=version, instance=settings.instance, items=items)


def _item(
    row: Setting, common: bool, settings: CommonSettings, name: str, hints: Mapping[str, Any]
) -> SettingItem:
    value, hidden = getattr(settings, name), row.secret or row.private
    return SettingItem(
        name=row.name,
        group="common" if common else "own",
        help=row.help,
        value=None if hidden else written(value),
        default=None if hidden else written(row.default),
        is_set=value not in ("", (), None),
        source=settings.sources.get(row.name, "default"),
        secret=hidden,
        choices=[choice for choice in row.choices or _choices(hints[name]) if choice],
        minimum=row.minimum,
        maximum=row.maximum,
    )


def _choices(hint: Any) -> tuple[str, ...]:
    return get_args(hint) if get_origin(hint) is Literal else ()


def written(value: Any) -> str:
    """A value as it would stand in `.env`, without what may be a credential."""
    if isinstance(value, tuple | list):
        return ",".join(written(one) for one in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Path):  # where on the disk the tokens lie need not be told
        return f"…/{value.name}" if value.is_absolute() else value.as_posix()
    return without_credential(str(value))


def without_credential(text: str) -> str:
    """An address without user, password, query and fragment; any other text as it is."""
    if not _ADDRESS.match(text):
        return text
    try:
        parts = urlsplit(text)
    except ValueError:
        return "…"  # no address after all: it may hold anything
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
