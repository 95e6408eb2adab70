"""kb's side of the embedder, against a stand-in whose model can be changed under its feet."""

import array
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from services.kb.database import open_database
from services.kb.embedding import Embedder, Model, ModelChanged
from services.kb.search import Searcher
from services.kb.search_query import Query
from services.kb.vectors import VectorIndex
from services.kernel.database import write
from services.kernel.errors import Overloaded, UpstreamError
from services.kernel.http_client import NeighbourClient
from tests.kb.conftest import settings_of
from tests.support.ports import free_port
from tests.support.server import running


@dataclass
class StandIn:
    """Counts the texts that it embeds; `key` and `answer` can be changed."""

    key: str = "first"
    texts: list[str] = field(default_factory=list)
    answer: dict[str, Any] | None = None

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/models", self.models),
                Route("/v1/embeddings", self.embed, methods=["POST"]),
            ]
        )

    async def models(self, _request: Request) -> JSONResponse:
        entry = {"id": "model", "key": self.key, "revision": "r", "dimensions": 1}
        return JSONResponse({"data": [{**entry, "query_prefix": "", "passage_prefix": ""}]})

    async def embed(self, request: Request) -> JSONResponse:
        texts = (await request.json())["input"]
        self.texts += texts
        vectors = [array.array("f", [len(text)]).tobytes() for text in texts]
        data = [{"embedding": base64.b64encode(vector).decode()} for vector in vectors]
        return JSONResponse(self.answer or {"data": data, "model_key": self.key})


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn()


@pytest.fixture
def base_url(stand_in: StandIn) -> Iterator[str]:
    with running(stand_in.app()) as base_url:
        yield base_url


@asynccontextmanager
async def embedder_at(base_url: str) -> AsyncIterator[Embedder]:
    client = NeighbourClient("embedder", [base_url], "token", timeout_seconds=5)
    yield Embedder(client, cache_entries=2)
    await client.aclose()


@pytest.mark.anyio
async def test_a_query_is_embedded_once_and_the_cache_is_bounded(
    stand_in: StandIn, base_url: str
) -> None:
    async with embedder_at(base_url) as embedder:
        for text in ("a", "a", "b", "a", "c", "a", "b"):
            model, vector = await embedder.query(text)
            assert (model.key, array.array("f", vector)[0]) == ("first", 1.0)
    assert stand_in.texts == ["a", "b", "c", "b"], "b was the one not asked for longest"


@pytest.mark.anyio
async def test_another_model_is_noticed_and_its_vectors_are_never_mixed(
    stand_in: StandIn, base_url: str
) -> None:
    async with embedder_at(base_url) as embedder:
        await embedder.query("a")
        stand_in.key = "second"
        with pytest.raises(ModelChanged):
            await embedder.passages(["p"])
        model, _ = await embedder.query("a")
    assert model.key == "second"
    assert stand_in.texts.count("a") == 2, "the first model's vector was forgotten"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer",
    [
        {"data": [], "model_key": "first"},
        {"data": [{"embedding": "?"}], "model_key": "first"},
        {"no": 1},
    ],
)
async def test_an_answer_that_is_not_understood_is_an_upstream_error(
    stand_in: StandIn, base_url: str, answer: dict[str, Any]
) -> None:
    stand_in.answer = answer
    async with embedder_at(base_url) as embedder:
        with pytest.raises(UpstreamError):
            await embedder.passages(["p"])


@pytest.mark.anyio
async def test_after_a_failure_searches_do_not_wait_for_it_each_time() -> None:
    async with embedder_at(f"http://127.0.0.1:{free_port()}") as embedder:
        with pytest.raises(Overloaded, match="cannot be reached"):
            await embedder.query("a")
        with pytest.raises(Overloaded, match="is away"):
            await embedder.query("a")


class EnglishOnly(Embedder):
    """An embedder whose model is the packaged English one."""

    def __init__(self) -> None:
        pass

    async def query(self, text: str) -> tuple[Model, bytes]:
        return Model("key", "all-MiniLM-L6-v2", "r", 384, "", ""), b"\0" * 4


@pytest.mark.anyio
async def test_a_model_of_english_is_not_asked_in_chinese(tmp_path: Path) -> None:
    database = open_database(settings_of(tmp_path))
    with write(database.engine) as connection:
        connection.exec_driver_sql("UPDATE collections SET model_key = 'key'")
    index = VectorIndex(f"http://127.0.0.1:{free_port()}")
    searcher = Searcher(database, EnglishOnly(), index)
    assert (await searcher.search(Query("如何备份"))).degraded == ("model_language",)
    assert (await searcher.search(Query("how to back up"))).degraded == ("vector_index",)
    await index.aclose()
    database.engine.dispose()
