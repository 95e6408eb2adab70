"""A gateway in front of a scripted upstream, configured anew by each test."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import pytest
import yaml

from tests.llm_proxy.conftest import Gateway, chat_body, running_gateway
from tests.llm_proxy.scripted import Upstream, running_upstream
from tests.mock_vendor import Vendor

QUICK_RETRY = {"attempts": 3, "first_delay_seconds": 0.002, "max_delay_seconds": 0.5}
PATIENT = {"failures": 1000, "seconds": 60}


@dataclass
class Site:
    """The gateway and the upstream behind all its providers."""

    gateway: Gateway
    upstream: Upstream
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def name(self, word: str = "model") -> str:
        """A model's name that no other test has used, so that nothing is known of it."""
        return f"{word}-{next(self._numbers)}"

    def configure(self, *, providers: dict[str, dict[str, Any]] | None = None, **top: Any) -> None:
        """Puts a models.yaml in force; `providers` change or add to `one`, `two` and `three`."""
        common = {
            "adapter": "openai_compatible",
            "base_url": self.upstream.base_url,
            "any_model": True,
            "retry": QUICK_RETRY,
            "cooldown": PATIENT,
        }
        names = ("one", "two", "three")
        entries = {name: {**common, "api_key": f"sk-test-{name}"} for name in names}
        for name, changes in (providers or {}).items():
            entries[name] = {**entries.get(name, common), **changes}
        text = yaml.safe_dump({"providers": entries, **top}, sort_keys=False)
        (self.gateway.folder / "models.yaml").write_text(text)
        self.gateway.app.state.catalog.refresh()

    def chat(self, model: str, **more: Any) -> httpx.Response:
        return self.gateway.chat(model, **more)

    def models_of(self, response: httpx.Response) -> list[str]:
        """The models that a call went to upstream, in order."""
        return self.upstream.models(response.headers["x-request-id"])

    def attributes_of(self, response: httpx.Response) -> dict[str, Any]:
        """What is recorded of a call."""
        event = self.gateway.neighbours.event_of(response.headers["x-request-id"])
        attributes: dict[str, Any] = event["attributes"]
        return attributes

    def listed(self) -> dict[str, Any]:
        """`GET /api/llm/providers`, by name."""
        headers = {"Authorization": f"Bearer {self.gateway.admin_token}"}
        with self.gateway.client(headers=headers) as client:
            items = orjson.loads(client.get("/api/llm/providers").content)["items"]
        return {item["name"]: item for item in items}

    def deployment(self, provider: str, model: str, key: int = 1) -> dict[str, Any]:
        """One deployment of that list."""
        items: list[dict[str, Any]] = self.listed()[provider]["deployments"]
        return next(item for item in items if (item["model"], item["key"]) == (model, key))

    def body(self, model: str, **more: Any) -> dict[str, Any]:
        return chat_body(model, **more)


@pytest.fixture(scope="session")
def running_site(vendor: Vendor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("resilience")
    environ: dict[str, Any] = {
        "LLM_PROXY_RELOAD_SECONDS": "3600",  # a test says itself when the file has changed
        "LLM_PROXY_HEARTBEAT_SECONDS": "0.05",
        "TRIVET_ALLOWED_ORIGINS": "https://site.example",
    }
    with (
        running_upstream() as upstream,
        running_gateway(folder, vendor, **environ) as gateway,
    ):
        yield Site(gateway, upstream)


@pytest.fixture
def site(running_site: Site) -> Site:
    """The site with three plain providers."""
    running_site.configure()
    running_site.upstream.calls.clear()
    running_site.upstream.script.clear()
    return running_site
