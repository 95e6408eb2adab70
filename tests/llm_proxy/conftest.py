"""A real gateway on a free port, with a mock vendor behind it and stand-ins for its neighbours."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from services.kernel.app import Application
from services.kernel.outbox.pace import Pace
from services.llm_proxy.app import create_app
from services.llm_proxy.settings import Settings
from tests.mock_vendor import Vendor, running_vendor
from tests.support.server import running
from tests.support.wait import until

KEY = "sk-test-not-a-key"
ASSISTANTS = Path(__file__).parents[2] / "config" / "assistants.yaml"
QUICK = {
    "connect_seconds": 2,
    "first_output_seconds": 1,
    "silence_seconds": 1,
    "total_seconds": 20,
}
ONCE = {"attempts": 1}  # one test, one call upstream; resilience has tests of its own


@dataclass
class Neighbours:
    """What kb answers and what analytics has got.

    `passages` are found by every query, `found` instead of them by those that hold its words. While
    kb is `busy` searches wait; `waiting` counts those whose caller has not left.
    """

    passages: list[dict[str, Any]] = field(default_factory=list)
    found: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    kb_status: int = 200
    busy: bool = False
    waiting: int = 0
    company: dict[str, Any] = field(default_factory=dict)
    searches: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def app(self) -> Starlette:
        async def search(request: Request) -> JSONResponse:
            asked = orjson.loads(await request.body())
            self.searches.append(asked)
            await self.wait_while_busy(request)
            if self.kb_status != 200:
                return JSONResponse({"error": {"message": "no"}}, self.kb_status)
            searches = [
                {"query": query, "results": self.results(query)} for query in asked["queries"]
            ]
            return JSONResponse({"success": True, "searches": searches})

        async def company(_request: Request) -> JSONResponse:
            return JSONResponse({"success": True, **self.company}, self.kb_status)

        async def events(request: Request) -> JSONResponse:
            batch = orjson.loads(await request.body())["events"]
            self.events.extend(batch)
            return JSONResponse({"accepted": len(batch), "duplicates": 0, "rejected": []})

        async def live(request: Request) -> JSONResponse:
            return JSONResponse({"status": "ok"})

        return Starlette(
            routes=[
                Route("/api/search", search, methods=["POST"]),
                Route("/api/company_info", company),
                Route("/api/analytics/events", events, methods=["POST"]),
                Route("/livez", live),
            ]
        )

    async def wait_while_busy(self, request: Request) -> None:
        self.waiting += 1
        try:
            while self.busy and not await request.is_disconnected():  # noqa: ASYNC110  # set by tests
                await asyncio.sleep(0.001)
        finally:
            self.waiting -= 1

    def results(self, query: str) -> list[dict[str, Any]]:
        """What one query finds."""
        if not self.found:
            return self.passages
        return next((results for words, results in self.found.items() if words in query), [])

    def event_of(self, request_id: str) -> dict[str, Any]:
        """The one event of a request, as soon as it has been delivered."""

        def found() -> list[dict[str, Any]]:
            return [event for event in self.events if event["request_id"] == request_id]

        events = until(found, 10, f"an event of {request_id}")
        assert len(events) == 1
        return events[0]


@dataclass
class Gateway:
    """A running gateway and what stands around it."""

    url: str
    app: Application
    vendor: Vendor
    neighbours: Neighbours
    folder: Path

    def client(self, **options: Any) -> httpx.Client:
        """A client; it loads no certificates, which would take longer than most tests."""
        options = {"timeout": 30, "trust_env": False, "verify": False, **options}
        return httpx.Client(base_url=self.url, **options)

    @property
    def admin_token(self) -> str:
        return (self.folder / "data" / "admin-token").read_text().strip()

    def post(self, path: str, body: Any, **options: Any) -> httpx.Response:
        with self.client() as client:
            content = body if isinstance(body, bytes) else orjson.dumps(body)
            return client.post(path, content=content, **options)

    def chat(self, model: str, **more: Any) -> httpx.Response:
        return self.post("/v1/chat/completions", chat_body(model, **more))


def chat_body(model: str | None, text: str = "How are you?", **more: Any) -> dict[str, Any]:
    named = {"model": model} if model else {}
    return {**named, "messages": [{"role": "user", "content": text}], **more}


def models_file(vendor: Vendor, **timeouts: float) -> dict[str, Any]:
    """A models.yaml whose providers are all the mock vendor."""
    limits = {**QUICK, **timeouts}
    common = {"api_key": KEY, "any_model": True, "timeouts": limits, "retry": ONCE}
    price = {"price": {"input": 1, "output": 2}}
    return {
        "default": ["openai"],
        "aliases": {"short": "openai/words"},
        "usd_per": {"CNY": 0.5},
        "default_embedding": "openai/vectors",
        "providers": {
            "openai": {
                "adapter": "openai_compatible",
                "base_url": vendor.openai,
                "default_model": "words",
                "models": {
                    "words": price,
                    "english": {"languages": ["en"], "max_passages": 1},
                    "small": {"context_tokens": 512},
                    "vectors": {"kind": "embedding", "price": {"input": 3, "output": 0}},
                },
                **common,
            },
            "doubao": {
                "adapter": "doubao",
                "base_url": vendor.ark,
                "default_model": "words",
                "models": {"words": {"price": {"currency": "CNY", "input": 2, "output": 4}}},
                **common,
            },
            "deepseek": {
                "adapter": "deepseek",
                "base_url": vendor.deepseek,
                "default_model": "words",
                **common,
            },
            "anthropic": {
                "adapter": "anthropic",
                "base_url": vendor.anthropic,
                "default_model": "words",
                **common,
            },
            "tongyi": {
                "adapter": "tongyi",
                "base_url": vendor.compat,
                "native_base_url": vendor.dashscope,
                "default_model": "words",
                "models": {"words": {"price": {"input": 5, "output": 7}}},
                **common,
            },
            "dashscope": {
                "adapter": "dashscope_app",
                "base_url": vendor.dashscope,
                "app_id": "words",
                "models": {"app": {"price": {"input": 5, "output": 7}}},
                **common,
            },
            "cumulative": {
                "adapter": "dashscope_app",
                "base_url": vendor.dashscope,
                "app_id": "words",
                "incremental_output": False,
                **common,
            },
            "keyless": {
                "adapter": "doubao",
                "base_url": vendor.ark,
                "api_key": "${NOBODY_SETS_THIS}",
                "default_model": "words",
            },
            "wrongkey": {
                "adapter": "openai_compatible",
                "base_url": vendor.openai,
                "api_key": "sk-test-wrong-key",
                "default_model": "words",
                "retry": ONCE,
            },
            "away": {
                "adapter": "openai_compatible",
                "base_url": "http://127.0.0.1:9",
                "default_model": "words",
                "retry": ONCE,
            },
        },
    }


def assistants_file() -> str:
    """The project's own, and some with a model of their own."""
    file = yaml.safe_load(ASSISTANTS.read_text(encoding="utf-8"))
    site = file["assistants"]["site"]
    file["assistants"]["english"] = {**site, "model": "openai/english"}
    file["assistants"]["small"] = {**site, "model": "openai/small", "max_history_messages": 20}
    file["assistants"]["rewriting"] = {**site, "rewrite_model": "anthropic/words"}
    file["assistants"]["waiting"] = {**site, "model": "openai/silent"}
    file["assistants"]["rethinking"] = {**site, "rewrite_model": "openai/silent"}
    file["assistants"]["unlucky"] = {**site, "rewrite_model": "openai/fail:code=invalid_value"}
    return yaml.safe_dump(file, allow_unicode=True)


Start = Callable[..., AbstractContextManager[Gateway]]
QUICK_PACE = partial(Pace, flush_seconds=0.01, linger_seconds=0.01)


@pytest.fixture(scope="session", autouse=True)
def _events_do_not_linger() -> Iterator[None]:
    """How long events are gathered before they are sent is the outbox's own tests' business."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.kernel.outbox.disk.Pace", QUICK_PACE)
        yield


@contextmanager
def running_gateway(
    folder: Path, vendor: Vendor, *, timeouts: dict[str, float] | None = None, **environ: str
) -> Iterator[Gateway]:
    """A gateway whose files lie in `folder`."""
    neighbours = Neighbours()
    (folder / "models.yaml").write_text(
        yaml.safe_dump(models_file(vendor, **(timeouts or {})), sort_keys=False)
    )
    (folder / "assistants.yaml").write_text(assistants_file())
    with running(neighbours.app()) as neighbours_url:
        variables = {
            "TRIVET_DATA_DIR": str(folder / "data"),
            "TRIVET_KB_URLS": neighbours_url,
            "TRIVET_ANALYTICS_URLS": neighbours_url,
            "LLM_PROXY_MODELS_FILE": str(folder / "models.yaml"),
            "LLM_PROXY_ASSISTANTS_FILE": str(folder / "assistants.yaml"),
            "LLM_PROXY_ANONYMOUS_CHATS_PER_MINUTE": "100000",
            "LLM_PROXY_RELOAD_SECONDS": "0.05",
            **environ,
        }
        app = create_app(Settings.from_env(variables), variables)
        with running(app) as url:
            yield Gateway(url, app, vendor, neighbours, folder)


@pytest.fixture(scope="session")
def vendor() -> Iterator[Vendor]:
    with running_vendor() as started:
        yield started


@pytest.fixture(scope="session")
def gateway(vendor: Vendor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for the tests that leave it as it was."""
    with running_gateway(tmp_path_factory.mktemp("gateway"), vendor) as started:
        yield started


@pytest.fixture
def start(vendor: Vendor, tmp_path: Path) -> Start:
    """Starts a gateway with settings of its own."""

    def begin(**options: Any) -> AbstractContextManager[Gateway]:
        return running_gateway(tmp_path, vendor, **options)

    return begin


def events_of(response: httpx.Response) -> list[tuple[str, Any]]:
    """(event's name, data) of a whole stream; data is decoded JSON, or its text."""
    from services.kernel.sse import SseParser

    found: list[tuple[str, Any]] = []
    for event in SseParser().feed(response.content):
        try:
            found.append((event.event, orjson.loads(event.data)))
        except orjson.JSONDecodeError:
            found.append((event.event, event.text))
    return found


def text_of(response: httpx.Response) -> str:
    """The text that a stream said."""
    said = []
    for name, data in events_of(response):
        if name == "message" and isinstance(data, dict) and data.get("choices"):
            said.append(data["choices"][0]["delta"].get("content") or "")
    return "".join(said)
