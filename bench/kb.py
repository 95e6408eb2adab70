"""The kb suite: how fast, how exact and how large the knowledge base is; how well it finds."""

import asyncio
from pathlib import Path

from bench.kb_collection import discard, make, questions
from bench.kb_engines import Engines, engines
from bench.kb_measure import (
    Ingestion,
    Search,
    base_vectors,
    beside_ingestion,
    ingest,
    search,
)
from bench.kb_precision import precision
from bench.kb_report import Measured, report
from bench.options import Options
from bench.report import Result
from services.cli.client import KbClient
from services.cli.evaluate import Measured as Evaluated
from services.cli.evaluate import Request, evaluate
from services.kb.embedding import Embedder, Model
from services.kernel.http_client import NeighbourClient

ROUNDS = 3
QUERIES = 60
SEARCHES_BESIDE = 480
SIZES = (10_000, 100_000)
UPLOAD_BYTES = 100 * 1024**2


def run(options: Options) -> Result:
    queries = questions()[:: max(1, len(questions()) // QUERIES)][:QUERIES]
    with engines(options.folder / "kb") as running:
        idle = running.memory()
        rounds: list[Ingestion] = []
        for number in range(1, (options.rounds or (1 if options.quick else ROUNDS)) + 1):
            options.console.print(f"kb: the guide goes in, round {number}")
            rounds.append(ingest(running, number, queries[:30]))
        options.console.print("kb: searches while another collection is filled")
        beside = beside_ingestion(running, "ingestion-1", _many(queries, options.quick))
        busy = running.memory()
        searches = _searches(options, running, queries)
        large = running.memory()
        evaluations = _quality(options, running)
        if options.golden:
            options.console.print("kb: the same questions with float32 vectors")
        near = precision(running, options.golden)
        measured = Measured(
            seconds=running.seconds,
            memory={"after the start": idle, "after ingestions": busy, "after all searches": large},
            rounds=rounds,
            beside=beside,
            precision=near,
            searches=searches,
            evaluations=evaluations,
        )
    return report(measured, options.golden)


def _many(queries: list[str], quick: bool) -> list[str]:
    """A 99th percentile needs hundreds."""
    times = range(2 if quick else SEARCHES_BESIDE // len(queries))
    return [f"{query} {number}" for number in times for query in queries]


def _searches(options: Options, running: Engines, queries: list[str]) -> list[Search]:
    base = base_vectors(running, "ingestion-1")
    model = asyncio.run(_model(running))
    found = []
    for size in SIZES[:1] if options.quick else SIZES:
        options.console.print(f"kb: {size:,} passages")
        large = make(running, f"synthetic-{size}", size, base, model)
        found.append(search(running, large, queries))
        discard(running, large.name)
    return found


async def _model(running: Engines) -> Model:
    token = (running.data_dir / "service-token").read_text().strip()
    client = NeighbourClient("embedder", [running.embedder_url], token, timeout_seconds=30)
    try:
        return await Embedder(client, cache_entries=0).model()
    finally:
        await client.aclose()


def _quality(options: Options, running: Engines) -> list[Evaluated]:
    if not options.golden:
        return []
    token = (running.data_dir / "admin-token").read_text().strip()
    client = KbClient((running.kb_url,), token, UPLOAD_BYTES)
    request = Request([Path(path) for path in options.golden], "site", ["hybrid"], True)
    said: set[str] = set()

    def show(_share: float, detail: str) -> None:
        if detail not in said and "passages" not in detail:
            said.add(detail)
            options.console.print(f"kb: {detail}")

    try:
        return evaluate(client, request, show)
    finally:
        client.close()
