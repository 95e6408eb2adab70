"""What a service sees of its outbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from services.kernel.health import Check


class Outbox(Protocol):
    """Takes events (kinds chat, search, feedback, workflow, error) that analytics will count."""

    def record(
        self,
        kind: str,
        attributes: Mapping[str, object],
        *,
        request_id: str,
        session_id: str | None = None,
        visitor_id: str | None = None,
    ) -> None:
        """Keeps one event. Never blocks, never raises, may be called from any thread."""
        ...

    def check(self) -> Check:
        """For `/readyz`; never critical, since a call is worth more than its record."""
        ...


class NullOutbox:
    """Keeps nothing."""

    def record(
        self,
        kind: str,
        attributes: Mapping[str, object],
        *,
        request_id: str,
        session_id: str | None = None,
        visitor_id: str | None = None,
    ) -> None:
        """Forgets the event."""

    def check(self) -> Check:
        return Check(True, "events are not kept", critical=False)
