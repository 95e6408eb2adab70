"""Liveness and readiness: `/livez` says that the process answers, `/readyz` whether it can work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Check:
    """One part that a service leans on. `detail` is for people and names no path and no key."""

    ok: bool
    detail: str = ""
    critical: bool = True


def overall(checks: Mapping[str, Check]) -> Literal["ok", "degraded", "unavailable"]:
    """`unavailable` when a critical part fails, `degraded` when another does."""
    failing = [check for check in checks.values() if not check.ok]
    if any(check.critical for check in failing):
        return "unavailable"
    return "degraded" if failing else "ok"


def report(service: str, version: str, checks: Mapping[str, Check]) -> dict[str, Any]:
    """The body of `/readyz`."""
    return {
        "status": overall(checks),
        "service": service,
        "version": version,
        "checks": {name: {"ok": c.ok, "detail": c.detail} for name, c in checks.items()},
    }
