"""What kb knows of the company, for pages that cannot ask kb themselves."""

from __future__ import annotations

from time import monotonic
from typing import Any

from services.kernel.errors import TrivetError
from services.kernel.http_client import NeighbourClient

FRESH_SECONDS = 15.0


class Company:
    """kb's company information: a copy that is never older than `FRESH_SECONDS` while kb answers,
    and the last one there was while it does not."""

    def __init__(self, kb: NeighbourClient) -> None:
        self._kb = kb
        self._known: dict[str, Any] = {}
        self._asked_at = -FRESH_SECONDS

    async def read(self) -> dict[str, Any]:
        now = monotonic()
        if now - self._asked_at >= FRESH_SECONDS:
            self._asked_at = now
            try:
                self._known = (await self._kb.request("GET", "/api/company_info")).json()
            except (TrivetError, ValueError):
                self._asked_at = now - FRESH_SECONDS  # a chat works without it; the next one asks
        return self._known
