"""Collections in the database. Each call runs in its caller's transaction."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from services.kb.embedding import Model
from services.kb.lexical import LexicalIndex
from services.kb.models import CHUNKS, COLLECTIONS, DOCUMENTS, PENDING, TOMBSTONES, now
from services.kernel.errors import Conflict, NotFound

DEFAULT_COLLECTION = "site"
POEMS_COLLECTION = "poems"


@dataclass(frozen=True)
class CollectionRow:
    """A collection as search and ingestion need it; without a vector its `model_key` is empty."""

    id: int
    name: str
    index_name: str
    model_key: str
    model_name: str
    created_at: str
    open: int
    model: Mapping[str, Any]

    @property
    def lexical(self) -> LexicalIndex:
        return LexicalIndex(self.id)


@dataclass(frozen=True)
class CollectionNumbers:
    """How much a collection holds; `pending`: passages that are not in the vector index yet."""

    documents: int
    chunks: int
    pending: int


def _columns() -> Select[Any]:
    c = COLLECTIONS.c
    columns = (c.id, c.name, c.index_name, c.model_key, c.model_name, c.created_at, c.open)
    return select(*columns, c.model)


def find(connection: Connection, name: str) -> CollectionRow:
    """Raises NotFound."""
    row = connection.execute(_columns().where(COLLECTIONS.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"There is no collection {name}.", param="collection")
    return CollectionRow(*row)


def by_id(connection: Connection, collection_id: int) -> CollectionRow:
    """Raises NotFound."""
    row = connection.execute(_columns().where(COLLECTIONS.c.id == collection_id)).one_or_none()
    if row is None:
        raise NotFound("The collection is gone.")
    return CollectionRow(*row)


def every(connection: Connection) -> list[CollectionRow]:
    """All collections by name."""
    rows = connection.execute(_columns().order_by(COLLECTIONS.c.name))
    return [CollectionRow(*row) for row in rows]


def create(connection: Connection, name: str, *, open_to_all: bool = False) -> CollectionRow:
    """`open_to_all`: it is searched without a credential. Raises Conflict when there is one of
    that name."""
    taken = select(COLLECTIONS.c.id).where(COLLECTIONS.c.name == name)
    if connection.execute(taken).first() is not None:
        raise Conflict(f"There is a collection {name} already.", param="name")
    connection.execute(
        insert(COLLECTIONS).values(
            name=name,
            index_name=new_index_name(),
            model_key="",
            model_name="",
            model={},
            open=int(open_to_all),
            created_at=now(),
        )
    )
    row = find(connection, name)
    row.lexical.create(connection)
    return row


def remove(connection: Connection, name: str) -> None:
    """Deletes a collection and all that it holds. Raises NotFound."""
    row = find(connection, name)
    connection.execute(insert(TOMBSTONES).values(index_name=row.index_name, chunk_id=None))
    row.lexical.drop(connection)
    connection.execute(delete(COLLECTIONS).where(COLLECTIONS.c.id == row.id))


def set_open(connection: Connection, name: str, open_to_all: bool) -> CollectionRow:
    """Says whether a collection is searched without a credential. Raises NotFound."""
    row = find(connection, name)
    statement = update(COLLECTIONS).where(COLLECTIONS.c.id == row.id)
    connection.execute(statement.values(open=int(open_to_all)))
    return find(connection, name)


def numbers(connection: Connection, row: CollectionRow) -> CollectionNumbers:
    documents = select(func.count()).where(DOCUMENTS.c.collection_id == row.id)
    chunks = select(func.count()).where(CHUNKS.c.collection_id == row.id)
    pending = (
        select(func.count())
        .select_from(PENDING.join(CHUNKS, CHUNKS.c.id == PENDING.c.chunk_id))
        .where(CHUNKS.c.collection_id == row.id)
    )
    counts = [int(connection.execute(query).scalar_one()) for query in (documents, chunks, pending)]
    return CollectionNumbers(*counts)


def adopt_model(connection: Connection, row: CollectionRow, model: Model) -> None:
    """Says which model makes the collection's vectors, where none does yet."""
    connection.execute(
        update(COLLECTIONS)
        .where(COLLECTIONS.c.id == row.id, COLLECTIONS.c.model_key == "")
        .values(**_of_model(model))
    )


def swap_index(connection: Connection, row: CollectionRow, index_name: str, model: Model) -> None:
    """Search goes on with `index_name` from here; the old index is to be deleted."""
    connection.execute(insert(TOMBSTONES).values(index_name=row.index_name, chunk_id=None))
    connection.execute(
        update(COLLECTIONS)
        .where(COLLECTIONS.c.id == row.id)
        .values(index_name=index_name, **_of_model(model))
    )


def _of_model(model: Model) -> dict[str, Any]:
    return {"model_key": model.key, "model_name": model.name, "model": asdict(model)}


def new_index_name() -> str:
    """A name that no Chroma server has seen."""
    return f"trivet-{uuid.uuid4().hex}"
