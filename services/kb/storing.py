"""Documents into the database and out of it, in as many transactions as it takes.

Passages whose text did not change are kept, with their ids and vectors. What Chroma still has to
learn goes into `pending` and `tombstones` in the same transaction, so that a process may be killed
at any point: the indexer takes it up again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import uuid_utils
from sqlalchemy import Connection, Engine, delete, insert, select, update

from services.kb import catalogue
from services.kb.catalogue import CollectionRow
from services.kb.documents import Outcome, Stored, by_source
from services.kb.models import CHUNKS, COLLECTIONS, CONTENTS, DOCUMENTS, PENDING, TOMBSTONES, now
from services.kb.preparation import Prepared, PreparedChunk
from services.kernel.database import write
from services.kernel.errors import Conflict, NotFound

# A bigger document is stored in several transactions, so that others come to write in between.
_CHUNKS_AT_ONCE = 200
_PART_BYTES = 1024**2

Done = Callable[[Connection, Stored], None]


def ignore(_connection: Connection, _stored: Stored) -> None:
    """A `Done` for those who need none."""


def store(engine: Engine, collection_name: str, prepared: Prepared, done: Done = ignore) -> Stored:
    """Stores a document under its source; blocks. `done` is called in the last transaction.

    All is done in one transaction, unless the passages are many; then they come one part after
    another, and a process that is killed in between begins again and keeps what it has.
    Raises NotFound when the collection is gone, Conflict when another call stores the same source.
    """
    batches = _batches(prepared.chunks)
    batch = next(batches, [])
    step: _Step | None = None
    while True:
        following = next(batches, None)
        with write(engine) as connection:
            collection = catalogue.find(connection, collection_name)
            if step is None:
                step = _begin(connection, collection, prepared)
            step = _put_chunks(connection, collection, step, batch)
            if following is None and _forget_stale(connection, collection, step):
                return _finish(connection, step, prepared, done)
        batch = following or []


@dataclass(frozen=True)
class _Step:
    """A document that is being stored. Passages of an older revision are not in it any more."""

    document_id: str
    revision: int
    created: bool
    new_chunks: int = 0


def _batches(chunks: Any) -> Iterator[list[PreparedChunk]]:
    rows = iter(chunks)
    while batch := list(islice(rows, _CHUNKS_AT_ONCE)):
        yield batch


def _begin(connection: Connection, collection: CollectionRow, prepared: Prepared) -> _Step:
    """Makes the document, or says that it is in the making: an empty hash is nobody's."""
    existing = by_source(connection, collection, prepared.source)
    if existing is not None:
        c = DOCUMENTS.c
        changed = update(DOCUMENTS).where(c.id == existing.id).returning(c.revision)
        (revision,) = connection.execute(
            changed.values(content_hash="", revision=c.revision + 1)
        ).one()
        return _Step(existing.id, revision, created=False)
    document_id = uuid_utils.uuid7().hex
    row = {**_values(prepared), "content_hash": "", "size_bytes": 0}
    connection.execute(
        insert(DOCUMENTS).values(
            id=document_id, collection_id=collection.id, revision=1, created_at=now(), **row
        )
    )
    return _Step(document_id, 1, created=True)


def _put_chunks(
    connection: Connection, collection: CollectionRow, step: _Step, batch: Sequence[PreparedChunk]
) -> _Step:
    """A passage with the text of an old one keeps its id, and so its vector."""
    _check_turn(connection, step)
    old = _old_chunks(connection, step, {chunk.text_hash for chunk in batch})
    new = 0
    for chunk in batch:
        if old[chunk.text_hash]:
            _keep(connection, old[chunk.text_hash].pop(0), step, chunk)
        else:
            _add(connection, collection, step, chunk)
            new += 1
    return replace(step, new_chunks=step.new_chunks + new)


def _check_turn(connection: Connection, step: _Step) -> None:
    query = select(DOCUMENTS.c.revision).where(DOCUMENTS.c.id == step.document_id)
    if connection.execute(query).scalar() != step.revision:
        raise Conflict("The document was stored or deleted by another call at the same time.")


def _old_chunks(
    connection: Connection, step: _Step, hashes: set[str]
) -> defaultdict[str, list[int]]:
    c = CHUNKS.c
    query = select(c.id, c.text_hash).where(
        c.document_id == step.document_id, c.text_hash.in_(hashes), c.revision < step.revision
    )
    found: defaultdict[str, list[int]] = defaultdict(list)
    for row in connection.execute(query.order_by(c.position)):
        found[row.text_hash].append(row.id)
    return found


def _keep(connection: Connection, chunk_id: int, step: _Step, chunk: PreparedChunk) -> None:
    connection.execute(
        update(CHUNKS)
        .where(CHUNKS.c.id == chunk_id)
        .values(
            position=chunk.position,
            anchor=chunk.anchor,
            lang=chunk.lang,
            heading_path=chunk.heading_path,
            revision=step.revision,
        )
    )


def _add(
    connection: Connection, collection: CollectionRow, step: _Step, chunk: PreparedChunk
) -> None:
    inserted = connection.execute(
        insert(CHUNKS).values(
            document_id=step.document_id,
            collection_id=collection.id,
            position=chunk.position,
            anchor=chunk.anchor,
            heading_path=chunk.heading_path,
            lang=chunk.lang,
            heading=chunk.heading,
            text=chunk.text,
            text_hash=chunk.text_hash,
            tokens=chunk.tokens,
            revision=step.revision,
        )
    )
    (chunk_id,) = inserted.inserted_primary_key or (0,)
    connection.execute(insert(PENDING).values(chunk_id=chunk_id, attempts=0))
    collection.lexical.put(connection, chunk_id, chunk.heading, chunk.text)


def _forget_stale(connection: Connection, collection: CollectionRow, step: _Step) -> bool:
    """Deletes passages that the document has no more; False while there are others."""
    c = CHUNKS.c
    query = select(c.id).where(c.document_id == step.document_id, c.revision < step.revision)
    stale = [row.id for row in connection.execute(query.limit(_CHUNKS_AT_ONCE + 1))]
    _forget(connection, collection, stale[:_CHUNKS_AT_ONCE])
    return len(stale) <= _CHUNKS_AT_ONCE


def _finish(connection: Connection, step: _Step, prepared: Prepared, done: Done) -> Stored:
    document = update(DOCUMENTS).where(DOCUMENTS.c.id == step.document_id)
    connection.execute(document.values(**_values(prepared)))
    _keep_content(connection, step.document_id, prepared.path)
    outcome: Outcome = "created" if step.created else "changed"
    stored = Stored(step.document_id, outcome, prepared.chunks.count, step.new_chunks)
    done(connection, stored)
    return stored


def _keep_content(connection: Connection, document_id: str, path: Path) -> None:
    connection.execute(delete(CONTENTS).where(CONTENTS.c.document_id == document_id))
    with path.open("rb") as file:
        for number, part in enumerate(iter(lambda: file.read(_PART_BYTES), b"")):
            row = {"document_id": document_id, "number": number, "part": part}
            connection.execute(insert(CONTENTS), row)


def remove(engine: Engine, document_id: str) -> None:
    """Deletes a document: its passages, words and vectors go with it. Raises NotFound."""
    gone = False
    while not gone:
        with write(engine) as connection:
            step, collection = _doomed(connection, document_id)
            gone = _forget_stale(connection, collection, step)
            if gone:
                connection.execute(delete(DOCUMENTS).where(DOCUMENTS.c.id == document_id))


def _doomed(connection: Connection, document_id: str) -> tuple[_Step, CollectionRow]:
    c = DOCUMENTS.c
    changed = update(DOCUMENTS).where(c.id == document_id).returning(c.revision, c.collection_id)
    values = {"content_hash": "", "revision": c.revision + 1}
    row = connection.execute(changed.values(**values)).one_or_none()
    if row is None:
        raise NotFound("There is no such document.")
    step = _Step(document_id, row.revision, created=False)
    return step, catalogue.by_id(connection, row.collection_id)


def _values(prepared: Prepared) -> dict[str, Any]:
    return {
        "source": prepared.source,
        "title": prepared.title,
        "url": prepared.url,
        "lang": prepared.lang,
        "media_type": prepared.media_type,
        "content_hash": prepared.content_hash,
        "size_bytes": prepared.size_bytes,
        "metadata": prepared.metadata,
        "recipe": prepared.recipe,
        "updated_at": now(),
    }


def _forget(connection: Connection, collection: CollectionRow, chunk_ids: Sequence[int]) -> None:
    if not chunk_ids:
        return
    collection.lexical.remove(connection, chunk_ids)
    rows = [{"index_name": collection.index_name, "chunk_id": chunk_id} for chunk_id in chunk_ids]
    connection.execute(insert(TOMBSTONES), rows)
    for chunk_id in chunk_ids:  # vectors and pending rows go with their chunk
        connection.execute(delete(CHUNKS).where(CHUNKS.c.id == chunk_id))
    connection.execute(
        update(COLLECTIONS).where(COLLECTIONS.c.id == collection.id).values(unclean=1)
    )
