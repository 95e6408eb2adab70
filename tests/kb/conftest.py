"""kb as a running service, with real engines beside it that all tests of a session share.

Each test has a database of its own; its indexes in the shared Chroma have names of their own.
"""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.kb.app import create_app
from services.kb.settings import Settings
from services.kernel.auth import ensure_token
from services.kernel.settings import read_settings
from tests.kb import processes
from tests.support.ports import free_port
from tests.support.server import running
from tests.support.wait import until


@dataclass(frozen=True)
class EmbedderProcess:
    base_url: str
    data_dir: Path
    process: subprocess.Popen[bytes]


_EMBEDDER = pytest.StashKey[EmbedderProcess]()
_CHROMA = pytest.StashKey[str]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs an engine is no unit test."""
    for item in items:
        if {"embedder_process", "chroma_url"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def embedder_process(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbedderProcess]:
    """The embedder with the packaged model, loading in the background; one for all folders."""
    if _EMBEDDER in request.config.stash:
        yield request.config.stash[_EMBEDDER]
        return
    data_dir = tmp_path_factory.mktemp("embedder")
    processes.MODELS.mkdir(parents=True, exist_ok=True)
    (data_dir / "models").symlink_to(processes.MODELS)
    port = free_port()
    environ = {"TRIVET_DATA_DIR": str(data_dir), "KB_EMBEDDER_PORT": str(port)}
    command = processes.python("-m", "services.kb.embedder")
    with processes.process(command, environ, data_dir / "log") as started:
        found = EmbedderProcess(f"http://127.0.0.1:{port}", data_dir, started)
        request.config.stash[_EMBEDDER] = found
        yield found


@pytest.fixture(scope="session", autouse=True)
def _early_embedder(request: pytest.FixtureRequest) -> None:
    """Lets the model load while the tests that do not need it run."""
    wanted = (getattr(item, "fixturenames", ()) for item in request.session.items)
    if any("embedder_process" in names for names in wanted):
        request.getfixturevalue("embedder_process")


@pytest.fixture(scope="session")
def embedder(embedder_process: EmbedderProcess) -> EmbedderProcess:
    """The embedder, ready."""
    processes.wait_for(f"{embedder_process.base_url}/readyz", 120)
    return embedder_process


@pytest.fixture(scope="session")
def chroma_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A Chroma server; one for all folders."""
    if _CHROMA in request.config.stash:
        yield request.config.stash[_CHROMA]
        return
    folder = tmp_path_factory.mktemp("chroma") / "data"
    with processes.chroma(folder, free_port()) as base_url:
        request.config.stash[_CHROMA] = base_url
        yield base_url


@dataclass
class Kb:
    """A running kb; `admin` is a client with the administrator's token, `visitor` one without."""

    base_url: str
    data_dir: Path
    admin: httpx.Client = field(init=False)
    visitor: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        token = ensure_token(self.data_dir / "admin-token")
        headers = {"Authorization": f"Bearer {token}"}
        options: dict[str, Any] = {"base_url": self.base_url, "timeout": 30, "trust_env": False}
        self.admin = httpx.Client(headers=headers, **options)
        self.visitor = httpx.Client(**options)

    def close(self) -> None:
        self.admin.close()
        self.visitor.close()

    def put(self, source: str, content: str, **more: Any) -> dict[str, Any]:
        response = self.admin.put(
            "/api/documents", json={"source": source, "content": content, **more}
        )
        response.raise_for_status()
        stored: dict[str, Any] = response.json()
        return stored

    def search(self, query: str, **params: Any) -> dict[str, Any]:
        response = self.admin.get("/api/search", params={"q": query, **params})
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found

    def sources(self, query: str, **params: Any) -> list[str]:
        return [result["source"] for result in self.search(query, **params)["results"]]

    def collection(self, name: str = "site") -> dict[str, Any]:
        items = self.admin.get("/api/collections").json()["items"]
        found: dict[str, Any] = next(item for item in items if item["name"] == name)
        return found

    def job(self, job_id: str) -> dict[str, Any]:
        """The job, when it has ended."""

        def ended() -> Any:
            view = self.admin.get(f"/api/jobs/{job_id}").json()
            return view if view["state"] in ("done", "failed") else None

        found: dict[str, Any] = until(ended, 60, "the job ends")
        return found

    def indexed(self, name: str = "site") -> None:
        """Waits until every passage is in the vector index."""
        until(lambda: self.collection(name)["pending"] == 0, 60, "all passages are indexed")


def settings_of(data_dir: Path, **environ: str) -> Settings:
    """kb's settings on a folder; engines that are not named are away."""
    closed = {
        "TRIVET_DATA_DIR": str(data_dir),
        "TRIVET_CHROMA_PORT": str(free_port()),
        "KB_EMBEDDER_PORT": str(free_port()),
        "TRIVET_ANALYTICS_URLS": f"http://127.0.0.1:{free_port()}",
    }
    return read_settings(Settings, {**closed, **environ})


StartKb = Callable[..., Kb]


@contextmanager
def running_kb(data_dir: Path, environ: Mapping[str, str]) -> Iterator[Kb]:
    """kb on a folder, with settings by name."""
    with running(create_app(settings_of(data_dir, **environ))) as base_url:
        kb = Kb(base_url, data_dir)
        try:
            yield kb
        finally:
            kb.close()


@pytest.fixture
def start_kb(tmp_path: Path) -> Iterator[StartKb]:
    """Starts kb on the test's own folder, with settings by name."""
    with ExitStack() as stack:
        yield lambda **environ: stack.enter_context(running_kb(tmp_path, environ))


def engines_for(data_dir: Path, embedder: EmbedderProcess, chroma_url: str) -> dict[str, str]:
    """The settings that lead to the shared engines; the embedder's token is kb's, too."""
    token = (embedder.data_dir / "service-token").read_bytes()
    (data_dir / "service-token").write_bytes(token)
    return {"KB_EMBEDDER_URL": embedder.base_url, "KB_CHROMA_URL": chroma_url}


@pytest.fixture
def engines(embedder: EmbedderProcess, chroma_url: str, tmp_path: Path) -> dict[str, str]:
    return engines_for(tmp_path, embedder, chroma_url)


@pytest.fixture
def kb(start_kb: StartKb, engines: dict[str, str]) -> Kb:
    """kb with both engines."""
    return start_kb(**engines)


@pytest.fixture
def lonely_kb(start_kb: StartKb) -> Kb:
    """kb with no engine."""
    return start_kb()
