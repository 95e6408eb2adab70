"""What is asked of a running kb, and how its answers are measured."""

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import orjson
from sqlalchemy import text

from bench.kb_collection import Large, Vectors, pages
from bench.kb_engines import ROOT, Engines
from services.kb.embedder.source import find, prepare
from services.kb.preparation import embedded_text
from services.kernel.database import open_engine, read

POLL_SECONDS = 0.05
PAUSE_SECONDS = 0.01
BUSY = "ingested-beside"
FED_AHEAD = 64  # passages that wait while searches are measured: enough to keep the embedder busy
WARM_QUERIES = 10
DEPTH = 10


@dataclass(frozen=True)
class Ingestion:
    """One round: the same passages through kb from file to index, and bare through torch; the same
    queries through the embedder over HTTP, in a search of kb, and through torch."""

    passages: int
    kb_seconds: float
    torch_seconds: float
    embedder_query_ms: list[float]
    kb_query_ms: list[float]
    torch_query_ms: list[float]
    cpu_seconds: dict[str, float]


@dataclass(frozen=True)
class Beside:
    """Whole searches as a caller sees them, each with a query that is new."""

    idle_ms: list[float]
    ingesting_ms: list[float]


@dataclass(frozen=True)
class Search:
    """Warm searches in one collection. `server_ms`: without embedding, `embedding_ms`."""

    chunks: int
    server_ms: list[float]
    embedding_ms: list[float]
    lexical_ms: list[float]
    dense_ms: list[float]
    recall_at_10: float


def ingest(engines: Engines, number: int, queries: Sequence[str]) -> Ingestion:
    """The guide into a collection of its own, then the same passages and queries through torch."""
    name = f"ingestion-{number}"
    with engines.client(engines.kb_url) as client:
        client.post("/api/collections", json={"name": name}).raise_for_status()
        before = engines.cpu_seconds()
        began = time.perf_counter()
        for source, page in pages().items():
            # Each round has words of its own, so that nothing is known from the one before.
            content = page.replace("\n## ", f"\n## {number}. ")
            body = {"collection": name, "source": source, "content": content}
            client.put("/api/documents", json=body).raise_for_status()
        _indexed(client, name)
        seconds = time.perf_counter() - began
        cpu = {each: used - before[each] for each, used in engines.cpu_seconds().items()}
        fresh = [f"{query} {number}" for query in queries]
        embedder_ms = _embedding_ms(engines, fresh)
        query_ms = [_ask(client, query, name)["embedding_ms"] for query in fresh]
    passages = [embedded for _, embedded, _ in stored(engines, name)]
    bare = torch(engines, passages, fresh)
    return Ingestion(
        passages=len(passages),
        kb_seconds=seconds,
        torch_seconds=bare["seconds"],
        embedder_query_ms=embedder_ms,
        kb_query_ms=query_ms,
        torch_query_ms=bare["query_ms"],
        cpu_seconds=cpu,
    )


def _embedding_ms(engines: Engines, queries: Sequence[str]) -> list[float]:
    """One call after another, as kb makes them."""
    times = []
    with engines.embedding() as client:
        client.get("/v1/models").raise_for_status()
        for query in queries:
            body = {"input": [query], "input_type": "query", "encoding_format": "base64"}
            began = time.perf_counter()
            client.post("/v1/embeddings", json=body).raise_for_status()
            times.append((time.perf_counter() - began) * 1000)
    return times


def beside_ingestion(engines: Engines, searched: str, queries: Sequence[str]) -> Beside:
    """Searches of one collection while nothing else happens, and while another one is filled."""
    with engines.client(engines.kb_url) as client:
        _asked_ms(client, [f"{query} warm" for query in queries[:WARM_QUERIES]], searched)
        idle = _asked_ms(client, [f"{query} idle" for query in queries], searched)
        client.post("/api/collections", json={"name": BUSY}).raise_for_status()
        stop = threading.Event()
        feeder = threading.Thread(target=_feed, args=(engines, stop))
        feeder.start()
        try:
            while not _pending(client, BUSY):
                time.sleep(POLL_SECONDS)
            busy = _asked_ms(client, [f"{query} busy" for query in queries], searched)
            still = _pending(client, BUSY)
        finally:
            stop.set()
            feeder.join()
            client.delete(f"/api/collections/{BUSY}").raise_for_status()
    if not still:
        raise RuntimeError("the ingestion ended before the searches")
    return Beside(idle, busy)


def _feed(engines: Engines, stop: threading.Event) -> None:
    """The guide again and again, its sections run together: long passages are the harder case."""
    with engines.client(engines.kb_url) as client:
        for number in itertools.count():
            for source, page in pages().items():
                while _pending(client, BUSY) > FED_AHEAD and not stop.wait(POLL_SECONDS):
                    pass
                if stop.is_set():
                    return
                content = f"{number} {page.replace('#', '')}"
                body = {"collection": BUSY, "source": f"{number}/{source}", "content": content}
                client.put("/api/documents", json=body).raise_for_status()


def _asked_ms(client: httpx.Client, queries: Sequence[str], collection: str) -> list[float]:
    times = []
    for query in queries:
        began = time.perf_counter()
        _ask(client, query, collection)
        times.append((time.perf_counter() - began) * 1000)
        time.sleep(PAUSE_SECONDS)
    return times


def stored(engines: Engines, name: str) -> list[tuple[int, str, bytes]]:
    """(id, what the model read, vector) of all passages of a collection."""
    statement = text(
        "SELECT c.id, c.heading, c.text, v.vector FROM chunks AS c JOIN vectors AS v "
        "ON v.chunk_id = c.id JOIN collections AS l ON l.id = c.collection_id WHERE l.name = :name"
    )
    engine = open_engine(engines.data_dir / "kb.db")
    try:
        with read(engine) as connection:
            rows = connection.execute(statement, {"name": name}).all()
    finally:
        engine.dispose()
    return [(row.id, embedded_text(row.heading, row.text), row.vector) for row in rows]


def torch(
    engines: Engines, passages: Sequence[str], queries: Sequence[str], *, with_vectors: bool = False
) -> dict[str, Any]:
    source = find("multilingual-e5-small", None, engines.data_dir / "models")
    prepare(source)
    given = {
        "folder": str(source.folder),
        "passages": passages,
        "queries": queries,
        "with_vectors": with_vectors,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.kb_torch"],
        input=orjson.dumps(given),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        check=True,
    )
    found: dict[str, Any] = orjson.loads(done.stdout)
    return found


def search(engines: Engines, large: Large, queries: Sequence[str]) -> Search:
    """Each query twice: the first time it is embedded, the second time its vector is known."""
    with engines.client(engines.kb_url) as client:
        for query in queries[:WARM_QUERIES]:
            _ask(client, query, large.name)
        first = [_ask(client, f"{query} {large.name}", large.name) for query in queries]
        again = [_ask(client, f"{query} {large.name}", large.name) for query in queries]
        lexical = [_ask(client, query, large.name, mode="lexical") for query in queries]
        dense = [_ask(client, query, large.name, mode="dense") for query in queries]
    return Search(
        chunks=len(large.ids),
        server_ms=[answer["took_ms"] for answer in again],
        embedding_ms=[answer["embedding_ms"] for answer in first],
        lexical_ms=[answer["took_ms"] for answer in lexical],
        dense_ms=[answer["took_ms"] for answer in dense],
        recall_at_10=_recall(large, _vectors(engines, queries), dense),
    )


def _recall(large: Large, asked: Vectors, answers: Sequence[dict[str, Any]]) -> float:
    """Of the ten nearest by exact search with numpy, the share that kb's dense search finds."""
    shares = []
    for vector, answer in zip(asked, answers, strict=True):
        exact = np.argsort(-(large.vectors @ vector))[:DEPTH]
        found = {int(result["id"]) for result in answer["results"]}
        shares.append(len(found & {large.ids[i] for i in exact}) / DEPTH)
    return float(np.mean(shares))


def _vectors(engines: Engines, queries: Sequence[str]) -> Vectors:
    with engines.embedding() as client:
        body = {"input": list(queries), "input_type": "query"}
        answer = client.post("/v1/embeddings", json=body).raise_for_status()
    return np.array([item["embedding"] for item in answer.json()["data"]], np.float32)


def _ask(client: httpx.Client, query: str, collection: str, mode: str = "hybrid") -> dict[str, Any]:
    params: dict[str, str | int] = {
        "q": query,
        "collection": collection,
        "mode": mode,
        "top_k": DEPTH,
    }
    answer: dict[str, Any] = client.get("/api/search", params=params).raise_for_status().json()
    if answer["degraded"]:
        raise RuntimeError(f"a degraded search cannot be measured: {answer['degraded']}")
    return answer


def _indexed(client: httpx.Client, name: str) -> None:
    while _pending(client, name):
        time.sleep(POLL_SECONDS)


def _pending(client: httpx.Client, name: str) -> int:
    items = client.get("/api/collections").raise_for_status().json()["items"]
    return int(next(item for item in items if item["name"] == name)["pending"])


def base_vectors(engines: Engines, name: str) -> Vectors:
    """The real vectors of a collection, one a row."""
    return np.array([np.frombuffer(vector, "<f4") for _, _, vector in stored(engines, name)])
