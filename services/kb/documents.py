"""Documents and their passages in the database. Each call runs in its caller's transaction.

Writing keeps passages whose text did not change, with their ids and vectors. What Chroma still has
to learn goes into `pending` and `tombstones` in the same transaction, so that a process may be
killed at any point: the indexer takes it up again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import uuid_utils
from sqlalchemy import Connection, delete, func, insert, select, update

from services.kb.catalogue import CollectionRow
from services.kb.models import CHUNKS, DOCUMENTS, PENDING, TOMBSTONES, now
from services.kb.preparation import Prepared, PreparedChunk
from services.kernel.errors import NotFound

_LISTED = (
    DOCUMENTS.c.id,
    DOCUMENTS.c.source,
    DOCUMENTS.c.title,
    DOCUMENTS.c.url,
    DOCUMENTS.c.lang,
    DOCUMENTS.c.media_type,
    DOCUMENTS.c.content_hash,
    DOCUMENTS.c.size_bytes,
    DOCUMENTS.c.metadata,
    DOCUMENTS.c.created_at,
    DOCUMENTS.c.updated_at,
)


Outcome = Literal["created", "changed", "unchanged"]


@dataclass(frozen=True)
class Stored:
    """What became of a document, and how many of its passages are new."""

    document_id: str
    outcome: Outcome
    chunks: int
    new_chunks: int


def put(connection: Connection, collection: CollectionRow, prepared: Prepared) -> Stored:
    """Stores a document under its source. Equal content changes nothing and embeds nothing."""
    existing = _by_source(connection, collection, prepared.source)
    document_id = existing.id if existing is not None else uuid_utils.uuid7().hex
    if existing is None:
        row = {**_values(prepared), "created_at": now()}
        connection.execute(
            insert(DOCUMENTS).values(id=document_id, collection_id=collection.id, **row)
        )
    new, moved, gone = _replace_chunks(connection, collection, document_id, prepared.chunks)
    if existing is None:
        return Stored(document_id, "created", len(prepared.chunks), new)
    if not (new or moved or gone) and _same(existing, prepared):
        return Stored(document_id, "unchanged", len(prepared.chunks), 0)
    connection.execute(
        update(DOCUMENTS).where(DOCUMENTS.c.id == document_id).values(**_values(prepared))
    )
    return Stored(document_id, "changed", len(prepared.chunks), new)


def get(connection: Connection, document_id: str) -> Any:
    """A document's columns, `content` and `collection_id` too. Raises NotFound."""
    row = connection.execute(select(DOCUMENTS).where(DOCUMENTS.c.id == document_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such document.")
    return row


def page(
    connection: Connection, collection: CollectionRow, *, prefix: str, after: str, limit: int
) -> Sequence[Any]:
    """Documents by source from after the source `after`, without their content."""
    c = DOCUMENTS.c
    query = select(*_LISTED).where(c.collection_id == collection.id, c.source > after)
    if prefix:
        query = query.where(c.source >= prefix, c.source < prefix + "\U0010ffff")
    return connection.execute(query.order_by(c.source).limit(limit)).all()


def chunk_count(connection: Connection, document_id: str) -> int:
    query = select(func.count()).where(CHUNKS.c.document_id == document_id)
    return int(connection.execute(query).scalar_one())


def remove(connection: Connection, collection: CollectionRow, document_id: str) -> None:
    """Deletes a document: its passages, words and vectors go with it."""
    query = select(CHUNKS.c.id).where(CHUNKS.c.document_id == document_id)
    _forget(connection, collection, [row.id for row in connection.execute(query)])
    connection.execute(delete(DOCUMENTS).where(DOCUMENTS.c.id == document_id))


def id_of(connection: Connection, collection: CollectionRow, source: str) -> str:
    """The id of the document with this source. Raises NotFound."""
    row = _by_source(connection, collection, source)
    if row is None:
        raise NotFound("There is no document with this source.", param="source")
    return str(row.id)


def _by_source(connection: Connection, collection: CollectionRow, source: str) -> Any | None:
    c = DOCUMENTS.c
    query = select(*_LISTED).where(c.collection_id == collection.id, c.source == source)
    return connection.execute(query).one_or_none()


def _values(prepared: Prepared) -> dict[str, Any]:
    return {
        "source": prepared.source,
        "title": prepared.title,
        "url": prepared.url,
        "lang": prepared.lang,
        "media_type": prepared.media_type,
        "content_hash": prepared.content_hash,
        "size_bytes": len(prepared.content),
        "content": prepared.content,
        "metadata": prepared.metadata,
        "updated_at": now(),
    }


def _same(row: Any, prepared: Prepared) -> bool:
    told = (prepared.content_hash, prepared.title, prepared.url, prepared.lang)
    known = (row.content_hash, row.title, row.url, row.lang)
    return told == known and row.metadata == prepared.metadata


def _replace_chunks(
    connection: Connection,
    collection: CollectionRow,
    document_id: str,
    chunks: Iterable[PreparedChunk],
) -> tuple[int, int, int]:
    """(new, moved, gone): a passage with the text of an old one keeps its id, and so its vector."""
    c = CHUNKS.c
    query = select(c.id, c.text_hash, c.position, c.anchor, c.lang, c.heading_path)
    old: defaultdict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(query.where(c.document_id == document_id).order_by(c.position)):
        old[row.text_hash].append(row)
    new = moved = 0
    for chunk in chunks:
        if old[chunk.text_hash]:
            moved += _keep(connection, old[chunk.text_hash].pop(0), chunk)
        else:
            _add(connection, collection, document_id, chunk)
            new += 1
    gone = [row.id for rows in old.values() for row in rows]
    _forget(connection, collection, gone)
    return new, moved, len(gone)


def _keep(connection: Connection, row: Any, chunk: PreparedChunk) -> bool:
    values = {
        "position": chunk.position,
        "anchor": chunk.anchor,
        "lang": chunk.lang,
        "heading_path": chunk.heading_path,
    }
    if all(getattr(row, name) == value for name, value in values.items()):
        return False
    connection.execute(update(CHUNKS).where(CHUNKS.c.id == row.id).values(**values))
    return True


def _add(
    connection: Connection, collection: CollectionRow, document_id: str, chunk: PreparedChunk
) -> None:
    inserted = connection.execute(
        insert(CHUNKS).values(
            document_id=document_id,
            collection_id=collection.id,
            position=chunk.position,
            anchor=chunk.anchor,
            heading_path=chunk.heading_path,
            lang=chunk.lang,
            heading=chunk.heading,
            text=chunk.text,
            text_hash=chunk.text_hash,
            tokens=chunk.tokens,
        )
    )
    (chunk_id,) = inserted.inserted_primary_key or (0,)
    connection.execute(insert(PENDING).values(chunk_id=chunk_id, attempts=0))
    collection.lexical.put(connection, chunk_id, chunk.heading, chunk.text)


def _forget(connection: Connection, collection: CollectionRow, chunk_ids: Sequence[int]) -> None:
    if not chunk_ids:
        return
    collection.lexical.remove(connection, chunk_ids)
    rows = [{"index_name": collection.index_name, "chunk_id": chunk_id} for chunk_id in chunk_ids]
    connection.execute(insert(TOMBSTONES), rows)
    for chunk_id in chunk_ids:  # vectors and pending rows go with their chunk
        connection.execute(delete(CHUNKS).where(CHUNKS.c.id == chunk_id))
