"""A collection as large as it is wanted: real sentences, and vectors around real passages' own.

Embedding a hundred thousand passages would take hours; what a search costs depends on how many
vectors and words there are, and on how they are spread. So each vector is a real passage's with
some noise, and each text some sentences of the sample library, in Chinese or in English.
"""

import asyncio
import random
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, func, insert, select

from bench.kb_engines import ROOT, Engines
from services.kb import catalogue
from services.kb.catalogue import CollectionRow
from services.kb.embedding import Model
from services.kb.lexical import LexicalIndex
from services.kb.models import CHUNKS, DOCUMENTS, VECTORS, now
from services.kb.placement import index_metadata
from services.kb.vectors import VectorIndex
from services.kernel.database import open_engine, write

GUIDE = ROOT / "library" / "guide"
LANGUAGES = ("en", "zh")
BATCH = 1_000
CHUNKS_A_DOCUMENT = 20
SENTENCES_A_CHUNK = 5
NOISE = 0.4  # of a vector's length: neighbours then lie as near as those of real passages do

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Large:
    """`vectors`: one a row, by `ids`."""

    name: str
    ids: list[int]
    vectors: Vectors


def pages() -> dict[str, str]:
    """The sample library's guide by source, in both languages."""
    return {str(path.relative_to(GUIDE)): path.read_text() for path in sorted(GUIDE.rglob("*.md"))}


def questions() -> list[str]:
    """The guide's headings are questions that people ask."""
    found = (re.findall(r"^##+ (.+)$", text, re.M) for text in pages().values())
    return [question for some in found for question in some]


def make(engines: Engines, name: str, size: int, base: Vectors, model: Model) -> Large:
    """Writes the collection as an ingestion would have left it."""
    noise = np.random.default_rng(size)
    picked = noise.integers(len(base), size=size)
    drift = noise.standard_normal((size, base.shape[1]), dtype=np.float32)
    drift *= np.float32(NOISE / np.sqrt(base.shape[1]))
    vectors: Vectors = base[picked] + drift
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    engine = open_engine(engines.data_dir / "kb.db")
    try:
        with write(engine) as connection:
            collection = catalogue.create(connection, name)
            last = connection.execute(select(func.max(CHUNKS.c.id))).scalar() or 0
        ids = list(range(last + 1, last + 1 + size))
        placing = _place(engines.chroma_url, collection, model, ids, vectors)
        with ThreadPoolExecutor(1) as aside:  # Chroma works while the words are written
            placed = aside.submit(asyncio.run, placing)
            texts = sentences()
            for first in range(0, size, BATCH):
                part = slice(first, first + BATCH)
                with write(engine) as connection:
                    _write(connection, collection, ids[part], vectors[part], texts, model)
            placed.result()
        with write(engine) as connection:
            # Last of all: kb heals an index that does not hold yet what it should.
            catalogue.adopt_model(connection, collection, model)
    finally:
        engine.dispose()
    return Large(name, ids, vectors)


def sentences() -> dict[str, list[str]]:
    """The guide's sentences by language."""
    found: dict[str, list[str]] = {lang: [] for lang in LANGUAGES}
    for source, text in pages().items():
        lang = Path(source).parts[0]
        parts = re.split(r"(?<=[。！？])|(?<=[.!?])\s+|\n+", text)
        found[lang] += [part.strip() for part in parts if part and len(part.strip()) > 8]
    return found


def _write(
    connection: Connection,
    collection: CollectionRow,
    ids: Sequence[int],
    vectors: Vectors,
    texts: dict[str, list[str]],
    model: Model,
) -> None:
    chooser = random.Random(ids[0])
    documents, chunks = [], []
    for first in range(0, len(ids), CHUNKS_A_DOCUMENT):
        lang = LANGUAGES[first // CHUNKS_A_DOCUMENT % 2]
        document_id = f"{collection.name}-{ids[first]}"
        documents.append(_document(collection, document_id, lang))
        for position, chunk_id in enumerate(ids[first : first + CHUNKS_A_DOCUMENT]):
            chosen = chooser.choices(texts[lang], k=SENTENCES_A_CHUNK)
            body = ("" if lang == "zh" else " ").join(chosen)
            chunk = _chunk(collection, document_id, lang, position, body)
            chunks.append({"id": chunk_id, **chunk})
    rows = [
        {"chunk_id": chunk_id, "model_key": model.key, "vector": vector.tobytes()}
        for chunk_id, vector in zip(ids, vectors, strict=True)
    ]
    connection.execute(insert(DOCUMENTS), documents)
    connection.execute(insert(CHUNKS), chunks)
    connection.execute(insert(VECTORS), rows)
    lexical = LexicalIndex(collection.id)
    for chunk in chunks:
        lexical.put(connection, chunk["id"], "", chunk["text"])


def _document(collection: CollectionRow, document_id: str, lang: str) -> dict[str, Any]:
    return {
        "id": document_id,
        "collection_id": collection.id,
        "source": document_id,
        "title": document_id,
        "url": "",
        "lang": lang,
        "media_type": "text/plain",
        "content_hash": document_id,
        "size_bytes": 0,
        "metadata": {},
        "created_at": now(),
        "updated_at": now(),
    }


def _chunk(
    collection: CollectionRow, document_id: str, lang: str, position: int, text: str
) -> dict[str, Any]:
    return {
        "document_id": document_id,
        "collection_id": collection.id,
        "position": position,
        "anchor": "",
        "heading_path": [],
        "lang": lang,
        "heading": "",
        "text": text,
        "text_hash": "",
        "tokens": 0,
    }


async def _place(
    url: str, collection: CollectionRow, model: Model, ids: list[int], vectors: Vectors
) -> None:
    index = VectorIndex(url)
    try:
        await index.ensure(collection.index_name, index_metadata(model))
        for part in _parts(ids, vectors):
            await index.upsert(collection.index_name, part)
    finally:
        await index.aclose()


def _parts(ids: list[int], vectors: Vectors) -> Iterator[dict[int, bytes]]:
    for first in range(0, len(ids), BATCH):
        some = zip(ids[first : first + BATCH], vectors[first : first + BATCH], strict=True)
        yield {chunk_id: vector.tobytes() for chunk_id, vector in some}


def discard(engines: Engines, name: str) -> None:
    with engines.client(engines.kb_url) as client:
        client.delete(f"/api/collections/{name}").raise_for_status()
