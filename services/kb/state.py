"""What kb's handlers work with; the lifespan in `app.py` owns it."""

from __future__ import annotations

from dataclasses import dataclass

from services.kb.access import KeyRing
from services.kb.company import CompanyFile
from services.kb.database import Database
from services.kb.embedding import Embedder
from services.kb.indexer import Indexer
from services.kb.ingestion import Ingestion
from services.kb.poems.indexing import PoemIndex
from services.kb.search import Searcher
from services.kb.settings import Settings
from services.kb.vectors import VectorIndex
from services.kernel.outbox import Outbox


@dataclass(frozen=True)
class State:
    settings: Settings
    database: Database
    embedder: Embedder
    index: VectorIndex
    searcher: Searcher
    indexer: Indexer
    ingestion: Ingestion
    poem_index: PoemIndex
    keys: KeyRing
    company: CompanyFile
    outbox: Outbox
