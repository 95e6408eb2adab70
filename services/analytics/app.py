"""Builds the application."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from prometheus_client import CollectorRegistry

from services.analytics.health import readiness
from services.analytics.routes import operations
from services.analytics.settings import Settings
from services.analytics.state import open_state, utc_now
from services.kernel.app import Application, build_app


def create_app(settings: Settings, *, now: Callable[[], datetime] = utc_now) -> Application:
    """The service as an ASGI application; `now` is the clock that windows and cutoffs go by."""
    registry = CollectorRegistry()
    return build_app(
        "analytics",
        settings,
        operations(),
        lambda: open_state(settings, registry, now),
        readiness,
        registry=registry,
    )
