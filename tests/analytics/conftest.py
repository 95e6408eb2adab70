"""A running analytics with a clock that stands still, and clients for its callers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.analytics.app import create_app
from services.analytics.settings import Settings
from tests.analytics.making import NOW, Event
from tests.kb.conftest import chroma_url, embedder, embedder_process
from tests.support.server import running

__all__ = ["chroma_url", "embedder", "embedder_process"]  # the real engines of kb's own tests


@dataclass
class Service:
    """A running instance and how to call it."""

    base_url: str
    settings: Settings
    visitor: httpx.Client
    neighbour: httpx.Client
    administrator: httpx.Client

    def send(self, *events: Event) -> dict[str, Any]:
        response = self.neighbour.post("/api/analytics/events", json={"events": list(events)})
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def get(self, path: str, **params: Any) -> Any:
        response = self.administrator.get(f"/api/analytics/{path}", params=params)
        assert response.status_code == 200, response.text
        return response.json()

    def statistics(self, **params: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.get("statistics", **params)
        return answer

    def queries(self, **params: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get("queries", **params)["items"]
        return items

    def clean_up(self, **body: Any) -> dict[str, Any]:
        response = self.administrator.post("/api/analytics/cleanup", json=body)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer


def _client(base_url: str, token: Path | None) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token.read_text().strip()}"} if token else {}
    return httpx.Client(base_url=base_url, headers=headers, timeout=30)


def serve(settings: Settings) -> Iterator[Service]:
    with running(create_app(settings, now=lambda: NOW)) as base_url:
        clients: Sequence[httpx.Client] = [
            _client(base_url, token)
            for token in (None, settings.service_token_path, settings.admin_token_path)
        ]
        try:
            yield Service(base_url, settings, *clients)
        finally:
            for client in clients:
                client.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    yield from serve(Settings(data_dir=tmp_path))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One instance for a module's tests that do not mind what others sent."""
    yield from serve(Settings(data_dir=tmp_path_factory.mktemp("data")))
