"""A real llm_proxy (or two, on one database) with a scripted model and a kb that keeps."""

import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import yaml

from services.kernel.sse import SseEvent, SseParser
from services.llm_proxy.app import create_app
from services.llm_proxy.settings import Settings
from services.llm_proxy.workflows.store import open_workflow_engine
from tests.llm_proxy.workflows.stands import POEM, Kb, Model
from tests.support.ports import free_port
from tests.support.server import running
from tests.support.wait import until

KEY = "sk-test-not-a-key"
DEFINITIONS = Path(__file__).parents[3] / "config" / "workflows"
ENDED = ("completed", "failed", "cancelled")


@dataclass
class House:
    """Running instances, and what stands around them."""

    urls: list[str]
    kb: Kb
    model: Model
    folder: Path
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def admin(self) -> dict[str, str]:
        token = (self.folder / "data" / "admin-token").read_text().strip()
        return {"Authorization": f"Bearer {token}"}

    def call(
        self, method: str, path: str, body: Any = None, *, instance: int = 0, **more: Any
    ) -> httpx.Response:
        options = {"headers": self.admin, **more}
        if body is not None:
            options["content"] = orjson.dumps(body)
        return self.clients[instance].request(method, path, **options)

    def translate(self, mode: str = "hybrid", **more: Any) -> str:
        body = {"poem_id": POEM["id"], "target_lang": "en", "workflow_mode": mode, **more}
        answer = self.call("POST", "/api/v1/workflow/translate", body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["task_id"])

    def task(self, task_id: str, instance: int = 0) -> dict[str, Any]:
        answer = self.call("GET", f"/api/v1/workflow/tasks/{task_id}", instance=instance)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, task_id: str, timeout_seconds: float = 20) -> dict[str, Any]:
        """The task, as soon as it has ended."""

        def look() -> dict[str, Any] | None:
            task = self.task(task_id)
            return task if task["status"] in ENDED else None

        found = until(look, timeout_seconds, f"the end of task {task_id}")
        assert found is not None
        return found

    def watch(self, path: str, instance: int = 0, after: str = "") -> Generator[SseEvent]:
        """A stream's events as they come; `after` is the `Last-Event-ID`."""
        parser = SseParser()
        headers = {"Last-Event-ID": after} if after else {}
        with self.clients[instance].stream("GET", path, headers=headers, timeout=30) as response:
            assert response.status_code == 200
            assert response.headers["content-type"].startswith("text/event-stream")
            for chunk in response.iter_bytes():
                yield from parser.feed(chunk)

    def events(self, task_id: str, instance: int = 0, after: str = "") -> list[SseEvent]:
        """All events of a task's stream, up to its end."""
        return list(self.watch(f"/api/v1/workflow/tasks/{task_id}/stream", instance, after))


def models_file(model_url: str) -> dict[str, Any]:
    provider = {
        "adapter": "openai_compatible",
        "base_url": f"{model_url}/v1",
        "api_key": KEY,
        "any_model": True,
        "default_model": "good",
        "models": {"good": {"price": {"input": 1, "output": 2}}},
        "timeouts": {"first_output_seconds": 10, "silence_seconds": 30},
        "retry": {"attempts": 1},
    }
    return {"default": ["vendor"], "providers": {"vendor": provider}}


def variables(folder: Path, urls: list[str], kb_url: str, **environ: str) -> dict[str, str]:
    return {
        "TRIVET_DATA_DIR": str(folder / "data"),
        "TRIVET_KB_URLS": kb_url,
        "TRIVET_ANALYTICS_URLS": kb_url,
        "TRIVET_LLM_PROXY_URLS": ",".join(urls),
        "LLM_PROXY_MODELS_FILE": str(folder / "models.yaml"),
        "LLM_PROXY_WORKFLOWS_DIR": str(DEFINITIONS),
        "LLM_PROXY_RELOAD_SECONDS": "0.05",
        "LLM_PROXY_WORKFLOW_LEASE_SECONDS": "2",
        "LLM_PROXY_WORKFLOW_HEARTBEAT_SECONDS": "0.3",
        "LLM_PROXY_WORKFLOW_MAKES_BRIEFINGS": "false",
        **environ,
    }


Start = Callable[..., AbstractContextManager[House]]


@contextmanager
def running_house(
    folder: Path,
    *,
    instances: int = 1,
    models: Callable[[str], dict[str, Any]] = models_file,
    **environ: str,
) -> Iterator[House]:
    """Instances of llm_proxy on one database; `models` makes models.yaml of the model's address."""
    kb, model = Kb(), Model()
    ports = [free_port() for _ in range(instances)]
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    with ExitStack() as stack:
        kb_url = stack.enter_context(running(kb.app()))
        model_url = stack.enter_context(running(model.app()))
        stack.callback(model.release)
        (folder / "models.yaml").write_text(yaml.safe_dump(models(model_url)))
        house = House(urls, kb, model, folder)
        for number, port in enumerate(ports):
            named = variables(folder, urls, kb_url, TRIVET_INSTANCE=str(number), **environ)
            app = create_app(Settings.from_env(named), named)
            url = stack.enter_context(running(app, port=port))
            client = httpx.Client(base_url=url, timeout=30, trust_env=False)
            house.clients.append(stack.enter_context(client))
        yield house


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its schema: making one takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "llm_proxy.db"
    engine = open_workflow_engine(path, path.with_suffix(".lock"))
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[House]:
    """One instance for all tests that leave it as it was."""
    folder = tmp_path_factory.mktemp("house")
    give_database(folder, empty_database)
    with running_house(folder) as started:
        yield started


def give_database(folder: Path, empty_database: Path) -> None:
    (folder / "data").mkdir(exist_ok=True)
    if not (folder / "data" / "llm_proxy.db").exists():
        shutil.copy(empty_database, folder / "data" / "llm_proxy.db")


@pytest.fixture
def start(tmp_path: Path, empty_database: Path) -> Start:
    """Starts instances with settings of their own."""

    def begin(**options: Any) -> AbstractContextManager[House]:
        give_database(tmp_path, empty_database)
        return running_house(tmp_path, **options)

    return begin


def data_of(event: SseEvent) -> dict[str, Any]:
    """An event's payload, whose `event` repeats its name."""
    payload: dict[str, Any] = orjson.loads(event.data)
    assert payload["event"] == event.event
    return payload
