"""Documents in the database, as they are read. Each call runs in its caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, func, select

from services.kb.catalogue import CollectionRow
from services.kb.models import CHUNKS, CONTENTS, DOCUMENTS, PENDING
from services.kb.preparation import Measured
from services.kernel.errors import NotFound

# Of a longer document only the beginning is shown.
_SHOWN_PARTS = 4
_SHOWN_BYTES = 4 * 1024**2
_TEXT_TYPES = ("application/json", "application/xml")

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
    DOCUMENTS.c.recipe,
)


Outcome = Literal["created", "changed", "unchanged"]


@dataclass(frozen=True)
class Stored:
    """What became of a document, and how many of its passages are new."""

    document_id: str
    outcome: Outcome
    chunks: int
    new_chunks: int


def known(connection: Connection, collection: CollectionRow, measured: Measured) -> Stored | None:
    """The document, if it is stored just as it is: then nothing of it is read, cut or embedded."""
    row = by_source(connection, collection, measured.source)
    if row is None or (row.content_hash, row.recipe) != (measured.content_hash, measured.recipe):
        return None
    return Stored(row.id, "unchanged", chunk_count(connection, row.id), 0)


def get(connection: Connection, document_id: str) -> Any:
    """A document's columns, `collection_id` too, but not its content. Raises NotFound."""
    query = select(*_LISTED, DOCUMENTS.c.collection_id).where(DOCUMENTS.c.id == document_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("There is no such document.")
    return row


def shown_content(connection: Connection, document_id: str, media_type: str) -> str:
    """The beginning of a document's text: as it came, or its passages where that is no text."""
    if media_type.startswith("text/") or media_type in _TEXT_TYPES:
        part = CONTENTS.c
        query = select(part.part).where(part.document_id == document_id).order_by(part.number)
        beginning = connection.execute(query.limit(_SHOWN_PARTS)).scalars()
        return b"".join(beginning).decode("utf-8", "ignore")
    c = CHUNKS.c
    passages = select(c.text).where(c.document_id == document_id).order_by(c.position)
    shown: list[str] = []
    size = 0
    for (text,) in connection.execute(passages):
        size += len(text.encode())
        if size > _SHOWN_BYTES:
            break
        shown.append(text)
    return "\n\n".join(shown)


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


def chunks(connection: Connection, document_id: str, *, after: int, limit: int) -> Sequence[Any]:
    """Passages from after the position `after`; `pending` is null where one is indexed."""
    c = CHUNKS.c
    query = (
        select(CHUNKS, PENDING.c.chunk_id.label("pending"))
        .outerjoin(PENDING, PENDING.c.chunk_id == c.id)
        .where(c.document_id == document_id, c.position > after)
    )
    return connection.execute(query.order_by(c.position).limit(limit)).all()


def id_of(connection: Connection, collection: CollectionRow, source: str) -> str:
    """The id of the document with this source. Raises NotFound."""
    row = by_source(connection, collection, source)
    if row is None:
        raise NotFound("There is no document with this source.", param="source")
    return str(row.id)


def by_source(connection: Connection, collection: CollectionRow, source: str) -> Any | None:
    """The columns that `page` gives; None where there is no such document."""
    c = DOCUMENTS.c
    query = select(*_LISTED).where(c.collection_id == collection.id, c.source == source)
    return connection.execute(query).one_or_none()
