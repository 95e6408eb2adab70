"""How fast an outbox works, and how much it takes at a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """Defaults make an event readable in analytics well within two seconds."""

    flush_seconds: float = 0.1
    linger_seconds: float = 0.8
    sync_seconds: float = 1.0
    first_backoff_seconds: float = 0.2
    max_backoff_seconds: float = 5.0
    request_timeout_seconds: float = 15.0
    drain_seconds: float = 3.0  # with the server's graceful 25 s, below PM2's 30 s
    adopt_seconds: float = 60.0
    batch_max_events: int = 500
    batch_max_bytes: int = 1024**2
    segment_max_bytes: int = 8 * 1024**2
    memory_max_bytes: int = 16 * 1024**2
    rejected_max_bytes: int = 16 * 1024**2
