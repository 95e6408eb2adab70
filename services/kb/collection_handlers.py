"""`/api/collections`: what is searched apart, by whom, and how far its index is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from services.kb import access, catalogue, jobs
from services.kb.catalogue import CollectionNumbers, CollectionRow
from services.kb.embedding import Model
from services.kb.schemas import (
    CollectionChange,
    CollectionKeyList,
    CollectionKeyView,
    CollectionList,
    CollectionView,
    EmbedderView,
    IndexState,
    IssuedCollectionKey,
    JobView,
    NewCollection,
    NewCollectionKey,
    StoredModel,
)
from services.kb.state import State
from services.kernel.errors import Conflict, TrivetError
from services.kernel.routing import Call


async def list_collections(call: Call[State]) -> CollectionList:
    """Lists the collections with the state of their indexes"""
    model = await _present_model(call.state)

    def work(connection: Connection) -> list[CollectionView]:
        return [_collection(connection, row, model) for row in catalogue.every(connection)]

    items = await call.state.database.read(work)
    if model is None:
        return CollectionList(items=items, embedder=None)
    embedder = EmbedderView(model=model.name, revision=model.revision, dimensions=model.dimensions)
    return CollectionList(items=items, embedder=embedder)


async def create_collection(call: Call[State], body: NewCollection) -> CollectionView:
    """Makes a collection"""

    def work(connection: Connection) -> CollectionView:
        row = catalogue.create(connection, body.name, open_to_all=body.open)
        return _collection(connection, row, None)

    view = await call.state.database.write(work)
    await call.state.keys.load(call.state.database)
    return view


async def change_collection(call: Call[State], body: CollectionChange) -> CollectionView:
    """Opens a collection's search to everyone, or closes it"""
    model = await _present_model(call.state)

    def work(connection: Connection) -> CollectionView:
        row = catalogue.set_open(connection, call.path["name"], body.open)
        return _collection(connection, row, model)

    view = await call.state.database.write(work)
    await call.state.keys.load(call.state.database)
    return view


async def list_keys(call: Call[State]) -> CollectionKeyList:
    """Lists a collection's search keys, without the keys themselves"""
    rows = await call.state.database.read(lambda c: access.listed(c, call.path["name"]))
    return CollectionKeyList(items=[CollectionKeyView.model_validate(row) for row in rows])


async def create_key(call: Call[State], body: NewCollectionKey) -> IssuedCollectionKey:
    """Makes a key that searches one collection; it is shown this once"""
    name = call.path["name"]
    issued = await call.state.database.write(lambda c: access.issue(c, name, body.name))
    await call.state.keys.load(call.state.database)
    return IssuedCollectionKey.model_validate(asdict(issued))


async def delete_key(call: Call[State]) -> Response:
    """Takes a search key back"""
    name, key_id = call.path["name"], call.path["key_id"]
    await call.state.database.write(lambda c: access.revoke(c, name, key_id))
    await call.state.keys.load(call.state.database)
    return Response(status_code=204)


async def delete_collection(call: Call[State]) -> Response:
    """Deletes a collection with all that it holds"""
    name = call.path["name"]
    if name in (catalogue.DEFAULT_COLLECTION, catalogue.POEMS_COLLECTION):
        raise Conflict(f"The collection {name} stays: delete what is in it.")
    await call.state.database.write(lambda c: catalogue.remove(c, name))
    call.state.indexer.wake()
    return Response(status_code=204)


async def rebuild_collection(call: Call[State]) -> JobView:
    """Makes a collection's indexes anew from the database"""

    def work(connection: Connection) -> dict[str, Any]:
        row = catalogue.find(connection, call.path["name"])
        chunks = catalogue.numbers(connection, row).chunks
        return jobs.view(connection, jobs.create_rebuild(connection, row.name, chunks))

    view = await call.state.database.write(work)
    call.state.indexer.wake()
    return JobView.model_validate(view)


async def _present_model(state: State) -> Model | None:
    try:
        return await state.embedder.model()
    except TrivetError:
        return None


def _collection(connection: Connection, row: CollectionRow, model: Model | None) -> CollectionView:
    numbers = catalogue.numbers(connection, row)
    return CollectionView(
        name=row.name,
        open=bool(row.open),
        documents=numbers.documents,
        chunks=numbers.chunks,
        pending=numbers.pending,
        embedding_model=row.model_name or None,
        model=StoredModel.model_validate(row.model) if row.model else None,
        state=_index_state(row, numbers, model),
        created_at=row.created_at,
    )


def _index_state(row: CollectionRow, numbers: CollectionNumbers, model: Model | None) -> IndexState:
    if model is not None and row.model_key not in ("", model.key):
        return "model_changed"
    if numbers.pending:
        return "indexing"
    return "ready" if numbers.chunks else "empty"
