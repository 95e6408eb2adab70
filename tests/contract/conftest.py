"""Each service as it is built for production, with its neighbours away."""

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from services.kernel.app import Application
from services.kernel.auth import ensure_token
from services.kernel.routing import Operation
from services.kernel.settings import read_settings
from tests.support.ports import free_port
from tests.support.server import running

SERVICES = ("llm_proxy", "kb", "analytics")


@dataclass(frozen=True)
class Service:
    """A running service: its table of operations and a client with no credential."""

    name: str
    base_url: str
    app: Application
    client: httpx.Client
    admin: dict[str, str]

    def url(self, item: Operation) -> str:
        """The operation's path with every parameter filled in."""
        return re.sub(r"{\w+(:\w+)?}", "nothing-of-this-name", item.path)


@pytest.fixture(scope="session", params=SERVICES)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    data = tmp_path_factory.mktemp(request.param)
    app = build(request.param, data)
    with running(app) as base_url, httpx.Client(base_url=base_url, timeout=20) as client:
        admin = {"Authorization": f"Bearer {ensure_token(data / 'admin-token')}"}
        yield Service(request.param, base_url, app, client, admin)


def build(name: str, data: Path) -> Application:
    """The service on an empty data folder; every neighbour's and engine's port is closed."""
    environ = {
        "TRIVET_DATA_DIR": str(data),
        "TRIVET_RUN_DIR": str(data / "run"),
        "TRIVET_JSON_BODY_MAX_BYTES": "200000",
        "TRIVET_CHROMA_PORT": str(free_port()),
        "KB_EMBEDDER_PORT": str(free_port()),
        "LLM_PROXY_LOCAL_MODEL_PORT": str(free_port()),
        "TRIVET_KB_URLS": f"http://127.0.0.1:{free_port()}",
        "TRIVET_LLM_PROXY_URLS": f"http://127.0.0.1:{free_port()}",
        "TRIVET_ANALYTICS_URLS": f"http://127.0.0.1:{free_port()}",
    }
    settings_class = importlib.import_module(f"services.{name}.settings").Settings
    create_app = importlib.import_module(f"services.{name}.app").create_app
    # llm_proxy's models.yaml names variables of the environment, so it is handed that, too.
    others = (environ,) if name == "llm_proxy" else ()
    app: Application = create_app(read_settings(settings_class, environ), *others)
    return app
