"""`/api/collections`, `/api/documents` and `/api/jobs`: the administrator's ways to the content."""

from __future__ import annotations

from functools import partial
from typing import Any

from anyio import to_thread
from sqlalchemy import Connection
from starlette.responses import Response

from services.kb import catalogue, documents, jobs
from services.kb.catalogue import CollectionNumbers, CollectionRow
from services.kb.embedding import Model
from services.kb.preparation import Given, clean_source, prepare
from services.kb.schemas import (
    CollectionList,
    CollectionView,
    DocumentBody,
    DocumentDetail,
    DocumentList,
    DocumentQuery,
    DocumentsQuery,
    DocumentView,
    EmbedderView,
    IndexState,
    JobView,
    NewCollection,
    StoredResponse,
)
from services.kb.state import State
from services.kb.upload_form import read_form
from services.kb.uploads import spool
from services.kernel.errors import Conflict, NotFound, TrivetError
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
        return _collection(connection, catalogue.create(connection, body.name), None)

    return await call.state.database.write(work)


async def delete_collection(call: Call[State]) -> Response:
    """Deletes a collection with all that it holds"""
    name = call.path["name"]
    if name == catalogue.DEFAULT_COLLECTION:
        raise Conflict(f"The collection {name} stays: delete its documents.")
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


async def list_documents(call: Call[State], query: DocumentsQuery) -> DocumentList:
    """Lists documents by source"""

    def work(connection: Connection) -> list[DocumentView]:
        rows = documents.page(
            connection,
            catalogue.find(connection, query.collection),
            prefix=query.source_prefix,
            after=query.cursor,
            limit=query.limit + 1,
        )
        return [_document(row) for row in rows]

    items = await call.state.database.read(work)
    more = len(items) > query.limit
    items = items[: query.limit]
    return DocumentList(items=items, next_cursor=items[-1].source if more else None)


async def upload_documents(call: Call[State]) -> JobView:
    """Takes files (multipart, field `files`) into a collection; answers with a job"""
    form = await read_form(call.request, call.state.settings.upload_max_bytes)
    state = call.state
    # The collection is looked up before the files are kept: a typo must leave nothing behind.
    await state.database.read(lambda c: catalogue.find(c, form.collection))
    files = [
        jobs.SpooledFile(
            source=clean_source(file.name),
            url=f"{form.url_base.rstrip('/')}/{clean_source(file.name)}" if form.url_base else "",
            spool=await to_thread.run_sync(spool, state.settings.spool_dir, file.content),
        )
        for file in form.files
    ]

    def work(connection: Connection) -> dict[str, Any]:
        return jobs.view(connection, jobs.create_ingest(connection, form.collection, files))

    view = await state.database.write(work)
    state.indexer.wake()
    return JobView.model_validate(view)


async def put_document(call: Call[State], body: DocumentBody) -> StoredResponse:
    """Stores one document under its source; equal content changes nothing"""
    given = Given(
        source=body.source,
        content=body.content.encode(),
        title=body.title,
        url=body.url,
        lang=body.lang,
        metadata=body.metadata,
    )
    prepared = await to_thread.run_sync(prepare, given, call.state.settings.chunk_tokens)

    def work(connection: Connection) -> documents.Stored:
        return documents.put(connection, catalogue.find(connection, body.collection), prepared)

    stored = await call.state.database.write(work)
    call.state.indexer.wake()
    return StoredResponse(
        id=stored.document_id,
        source=prepared.source,
        outcome=stored.outcome,
        chunks=stored.chunks,
        new_chunks=stored.new_chunks,
    )


async def delete_document_by_source(call: Call[State], query: DocumentQuery) -> Response:
    """Deletes the document with this source"""

    def work(connection: Connection) -> None:
        collection = catalogue.find(connection, query.collection)
        source = clean_source(query.source)
        documents.remove(connection, collection, documents.id_of(connection, collection, source))

    await call.state.database.write(work)
    call.state.indexer.wake()
    return Response(status_code=204)


async def get_document(call: Call[State]) -> DocumentDetail:
    """A document with its content"""
    return await call.state.database.read(partial(_detail, document_id=call.path["document_id"]))


async def delete_document(call: Call[State]) -> Response:
    """Deletes a document"""
    document_id = call.path["document_id"]

    def work(connection: Connection) -> None:
        row = documents.get(connection, document_id)
        documents.remove(connection, _collection_of(connection, row), document_id)

    await call.state.database.write(work)
    call.state.indexer.wake()
    return Response(status_code=204)


async def get_job(call: Call[State]) -> JobView:
    """How far a job is"""
    view = await call.state.database.read(lambda c: jobs.view(c, call.path["job_id"]))
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
        documents=numbers.documents,
        chunks=numbers.chunks,
        pending=numbers.pending,
        embedding_model=row.model_name or None,
        state=_index_state(row, numbers, model),
        created_at=row.created_at,
    )


def _index_state(row: CollectionRow, numbers: CollectionNumbers, model: Model | None) -> IndexState:
    if model is not None and row.model_key not in ("", model.key):
        return "model_changed"
    if numbers.pending:
        return "indexing"
    return "ready" if numbers.chunks else "empty"


def _document(row: Any) -> DocumentView:
    return DocumentView.model_validate({**row._mapping, "url": row.url or None})


def _detail(connection: Connection, document_id: str) -> DocumentDetail:
    row = documents.get(connection, document_id)
    return DocumentDetail.model_validate(
        {
            **row._mapping,
            "url": row.url or None,
            "collection": _collection_of(connection, row).name,
            "chunks": documents.chunk_count(connection, document_id),
            "content": row.content.decode("utf-8", "replace"),
        }
    )


def _collection_of(connection: Connection, row: Any) -> CollectionRow:
    for collection in catalogue.every(connection):
        if collection.id == row.collection_id:
            return collection
    raise NotFound("There is no such document.")
