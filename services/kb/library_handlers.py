"""`/api/documents`: the administrator's ways to the content."""

from __future__ import annotations

from functools import partial
from typing import Any

from anyio import to_thread
from sqlalchemy import Connection
from starlette.datastructures import UploadFile
from starlette.responses import Response

from services.kb import catalogue, documents, jobs, storing
from services.kb.jobs import IncomingFile
from services.kb.preparation import Given, clean_source
from services.kb.schemas import (
    ChunkList,
    ChunksQuery,
    ChunkView,
    DocumentBody,
    DocumentDetail,
    DocumentList,
    DocumentQuery,
    DocumentsQuery,
    DocumentView,
    JobView,
    StoredResponse,
)
from services.kb.state import State
from services.kb.upload_form import Handed, handed
from services.kb.uploads import spool, spool_bytes
from services.kernel.errors import PermissionDenied
from services.kernel.routing import Call

_ANSWERS = "answers/"  # of people, to what was asked in vain; see analytics' gaps


async def list_documents(call: Call[State], query: DocumentsQuery) -> DocumentList:
    """Lists documents by source"""
    recipe = call.state.ingestion.recipe

    def work(connection: Connection) -> list[DocumentView]:
        rows = documents.page(
            connection,
            catalogue.find(connection, query.collection),
            prefix=query.source_prefix,
            after=query.cursor,
            limit=query.limit + 1,
        )
        return [DocumentView.model_validate(_shown(row, recipe)) for row in rows]

    items = await call.state.database.read(work)
    more = len(items) > query.limit
    items = items[: query.limit]
    return DocumentList(items=items, next_cursor=items[-1].source if more else None)


async def upload_documents(call: Call[State]) -> JobView:
    """Takes files (multipart, field `files`) or URLs (JSON, `urls`); answers with a job"""
    state = call.state
    async with handed(call.request, state.settings.upload_max_bytes) as given:
        # Looked at before anything is kept: a typo must leave nothing behind.
        await state.database.read(lambda c: catalogue.find(c, given.collection))
        named = [(clean_source(part.filename or ""), part) for part in given.files]
        # A bad address is told of as a bad file is: it stops nothing else.
        urls = dict.fromkeys(url.strip().partition("#")[0] for url in given.urls)
        files = [await _kept(state, given, source, part) for source, part in named]
        files += [IncomingFile(source=url, url=url) for url in urls]

    def work(connection: Connection) -> dict[str, Any]:
        return jobs.view(connection, jobs.create_ingest(connection, given.collection, files))

    view = await state.database.write(work)
    state.indexer.wake()
    return JobView.model_validate(view)


async def put_document(call: Call[State], body: DocumentBody) -> StoredResponse:
    """Stores one document under its source; equal content changes nothing"""
    if call.caller.kind == "neighbour" and not clean_source(body.source).startswith(_ANSWERS):
        raise PermissionDenied(f"A neighbour may only store documents under {_ANSWERS}")
    state = call.state
    path = await to_thread.run_sync(spool_bytes, state.settings.spool_dir, body.content.encode())
    given = Given(
        source=body.source,
        path=path,
        title=body.title,
        url=body.url,
        lang=body.lang,
        metadata=body.metadata,
    )
    try:
        stored = await state.ingestion.put(body.collection, given)
    finally:
        await to_thread.run_sync(partial(path.unlink, missing_ok=True))
    state.indexer.wake()
    return StoredResponse(
        id=stored.document_id,
        source=clean_source(body.source),
        outcome=stored.outcome,
        chunks=stored.chunks,
        new_chunks=stored.new_chunks,
    )


async def delete_document_by_source(call: Call[State], query: DocumentQuery) -> Response:
    """Deletes the document with this source"""

    def work(connection: Connection) -> str:
        collection = catalogue.find(connection, query.collection)
        return documents.id_of(connection, collection, clean_source(query.source))

    return await _deleted(call.state, await call.state.database.read(work))


async def get_document(call: Call[State]) -> DocumentDetail:
    """A document with its content"""
    document_id, recipe = call.path["document_id"], call.state.ingestion.recipe

    def work(connection: Connection) -> DocumentDetail:
        row = documents.get(connection, document_id)
        return DocumentDetail.model_validate(
            {
                **_shown(row, recipe),
                "collection": catalogue.by_id(connection, row.collection_id).name,
                "chunks": documents.chunk_count(connection, document_id),
                "content": documents.shown_content(connection, document_id, row.media_type),
            }
        )

    return await call.state.database.read(work)


async def list_chunks(call: Call[State], query: ChunksQuery) -> ChunkList:
    """A document's passages as they were cut"""
    document_id = call.path["document_id"]

    def work(connection: Connection) -> list[ChunkView]:
        documents.get(connection, document_id)
        rows = documents.chunks(connection, document_id, after=query.cursor, limit=query.limit + 1)
        return [_chunk(row) for row in rows]

    items = await call.state.database.read(work)
    more = len(items) > query.limit
    items = items[: query.limit]
    return ChunkList(items=items, next_cursor=str(items[-1].position) if more else None)


async def delete_document(call: Call[State]) -> Response:
    """Deletes a document"""
    return await _deleted(call.state, call.path["document_id"])


async def _deleted(state: State, document_id: str) -> Response:
    await to_thread.run_sync(storing.remove, state.database.engine, document_id)
    state.indexer.wake()
    return Response(status_code=204)


async def _kept(state: State, given: Handed, source: str, part: UploadFile) -> IncomingFile:
    url = f"{given.url_base.rstrip('/')}/{source}" if given.url_base else ""
    name = await to_thread.run_sync(spool, state.settings.spool_dir, part.file)
    return IncomingFile(source, url, name)


def _shown(row: Any, recipe: str) -> dict[str, Any]:
    up_to_date = row.recipe.startswith(f"{recipe}/")
    return {**row._mapping, "url": row.url or None, "up_to_date": up_to_date}


def _chunk(row: Any) -> ChunkView:
    return ChunkView(
        id=str(row.id),
        position=row.position,
        heading_path=row.heading_path,
        anchor=row.anchor,
        lang=row.lang,
        tokens=row.tokens,
        content=row.text,
        indexed=row.pending is None,
    )
