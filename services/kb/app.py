"""kb as an application: the lifespan owns the database, the clients and the indexer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from anyio import to_thread
from prometheus_client import CollectorRegistry

from services.kb import catalogue
from services.kb.access import KeyRing
from services.kb.company import CompanyFile
from services.kb.database import Database, open_database
from services.kb.embedding import Embedder
from services.kb.extraction.sandbox import Limits, Sandbox
from services.kb.fetching import Fetcher
from services.kb.indexer import Indexer
from services.kb.ingestion import Ingestion
from services.kb.placement import Placement
from services.kb.poems.indexing import PoemIndex
from services.kb.preparation import Preparer
from services.kb.rebuild import Rebuild
from services.kb.routes import operations
from services.kb.scrubbing import Scrubber
from services.kb.search import Searcher
from services.kb.settings import Settings
from services.kb.state import State
from services.kb.tokens import TokenCounter
from services.kb.uploads import UploadReader
from services.kb.vectors import VectorIndex
from services.kernel.app import Application, build_app
from services.kernel.auth import ensure_token
from services.kernel.background import background
from services.kernel.health import Check
from services.kernel.http_client import NeighbourClient
from services.kernel.outbox import DiskOutbox

SERVICE = "kb"
_EMBEDDER_TIMEOUT_SECONDS = 10.0


def create_app(settings: Settings) -> Application:
    """kb, ready to be served."""
    registry = CollectorRegistry()
    keys = KeyRing()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[State]:
        async with AsyncExitStack() as stack:
            yield await _state(settings, registry, keys, stack)

    return build_app(
        SERVICE,
        settings,
        operations(),
        lifespan,
        readiness,
        registry=registry,
        application=keys.caller,
    )


async def _state(
    settings: Settings, registry: CollectorRegistry, keys: KeyRing, stack: AsyncExitStack
) -> State:
    database = await to_thread.run_sync(open_database, settings)
    stack.callback(database.engine.dispose)
    await keys.load(database)
    await stack.enter_async_context(background(keys.follow(database), "keys"))
    outbox = await stack.enter_async_context(DiskOutbox(SERVICE, settings, registry=registry))
    client = NeighbourClient(
        "embedder",
        [settings.embedder_url],
        ensure_token(settings.service_token_path),
        timeout_seconds=_EMBEDDER_TIMEOUT_SECONDS,
    )
    stack.push_async_callback(client.aclose)
    embedder = Embedder(client, cache_entries=settings.query_cache_entries)
    index = VectorIndex(settings.chroma_url)
    stack.push_async_callback(index.aclose)
    sandbox = Sandbox(Limits(settings.extraction_memory_bytes, settings.extraction_timeout_seconds))
    stack.push_async_callback(sandbox.aclose)
    preparer = Preparer(sandbox, TokenCounter(client), settings.chunk_tokens)
    ingestion = Ingestion(database, preparer)
    poem_index = PoemIndex(database, settings.spool_dir, ingestion)
    await poem_index.mark_strays()
    indexer = _indexer(settings, database, ingestion, poem_index, embedder, index)
    await stack.enter_async_context(background(indexer.run(), "indexer"))
    return State(
        settings=settings,
        database=database,
        embedder=embedder,
        index=index,
        searcher=Searcher(database, embedder, index),
        indexer=indexer,
        ingestion=ingestion,
        poem_index=poem_index,
        keys=keys,
        company=CompanyFile(settings.company_file),
        outbox=outbox,
    )


def _indexer(
    settings: Settings,
    database: Database,
    ingestion: Ingestion,
    poem_index: PoemIndex,
    embedder: Embedder,
    index: VectorIndex,
) -> Indexer:
    placement = Placement(database, embedder, index)
    fetcher = Fetcher(
        settings.upload_max_bytes, settings.fetch_timeout_seconds, settings.fetch_allowed_networks
    )
    return Indexer(
        settings.indexer_lock_path,
        UploadReader(database, settings.spool_dir, ingestion, fetcher),
        poem_index,
        placement,
        Rebuild(database, embedder, index, placement),
        Scrubber(database),
    )


async def readiness(state: State) -> Mapping[str, Check]:
    """Search works while the database does; without the engines it finds words only."""
    embedder, index, company = await asyncio.gather(
        state.embedder.alive(), state.index.alive(), to_thread.run_sync(state.company.check)
    )
    database = await _database_check(state)
    return {
        "database": database,
        "embedder": Check(embedder, "" if embedder else "away or loading", critical=False),
        "embedding_model": await _model_check(state) if database.ok else database,
        "vector_index": Check(index, "" if index else "away", critical=False),
        "indexing": state.indexer.check(),
        "company": company,
        "outbox": state.outbox.check(),
    }


async def _model_check(state: State) -> Check:
    """A model that was changed leaves searches with the words, until the index is made anew."""
    model = state.embedder.known
    if model is None:
        return Check(True)
    rows = await state.database.read(catalogue.every)
    others = [row.name for row in rows if row.model_key not in ("", model.key)]
    problem = "made by another model, run `trivet kb rebuild`: " + ", ".join(others)
    return Check(not others, problem if others else "", critical=False)


async def _database_check(state: State) -> Check:
    try:
        await state.database.read(lambda c: c.exec_driver_sql("SELECT 1").scalar())
    except Exception:  # noqa: BLE001  # whatever it is, the answer is: not ready
        return Check(False, "the database cannot be read")
    return Check(True)
