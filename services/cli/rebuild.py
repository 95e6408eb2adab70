"""`trivet kb rebuild`: one collection after another, followed to its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from services.cli.client import CallFailed, KbClient

_POLL_SECONDS = 0.3


def rebuild(
    client: KbClient, collection: str, progress: Callable[[float, str], None]
) -> Iterator[tuple[str, int]]:
    """(name, passages) of each rebuilt collection. Raises CallFailed when one fails."""
    listed = [item["name"] for item in client.call("GET", "/api/collections")["items"]]
    for name in [collection] if collection else listed:
        view = client.call("POST", f"/api/collections/{name}/rebuild")
        while view["state"] in ("queued", "running"):
            progress(view["progress"] / 100, name)
            time.sleep(_POLL_SECONDS)
            view = client.call("GET", f"/api/jobs/{view['id']}")
        if view["state"] == "failed":
            raise CallFailed(f"{name}: {view['error']}")
        progress(1.0, name)
        yield name, view["chunks_total"]
