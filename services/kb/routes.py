"""kb's route table."""

from __future__ import annotations

from services.kb import collection_handlers as collections
from services.kb import evaluation_handlers as evaluation
from services.kb import job_handlers as jobs
from services.kb import library_handlers as library
from services.kb import passage_handlers as passages
from services.kb import search_handlers as searching
from services.kb.poems import routes as poems
from services.kb.schemas import UrlsBody
from services.kernel.auth import Access
from services.kernel.routing import Operation, operation

PUBLIC, NEIGHBOUR, ADMINISTRATOR = Access.PUBLIC, Access.NEIGHBOUR, Access.ADMINISTRATOR


def operations() -> list[Operation]:
    """What is asked, and what is kept."""
    return [*_questions(), *_collections(), *_documents(), *_jobs(), *poems.operations()]


def _questions() -> list[Operation]:
    """Search is public for the collection `site` alone: its handler looks at the collection."""
    return [
        operation("GET", "/api/search", searching.search, access=PUBLIC),
        operation("POST", "/api/search", searching.search_by_body, access=PUBLIC),
        operation("GET", "/api/company_info", searching.company_info, access=PUBLIC),
        operation("POST", "/api/evaluate", evaluation.evaluate, access=ADMINISTRATOR),
        operation("GET", "/api/evaluate", evaluation.list_runs, access=ADMINISTRATOR),
    ]


def _collections() -> list[Operation]:
    return [
        operation("GET", "/api/collections", collections.list_collections, access=NEIGHBOUR),
        operation(
            "POST",
            "/api/collections",
            collections.create_collection,
            access=ADMINISTRATOR,
            status=201,
        ),
        operation(
            "PATCH",
            "/api/collections/{name}",
            collections.change_collection,
            access=ADMINISTRATOR,
        ),
        operation(
            "DELETE",
            "/api/collections/{name}",
            collections.delete_collection,
            access=ADMINISTRATOR,
            status=204,
        ),
        operation(
            "POST",
            "/api/collections/{name}/rebuild",
            collections.rebuild_collection,
            access=ADMINISTRATOR,
            status=202,
        ),
        *_keys(),
    ]


def _keys() -> list[Operation]:
    path = "/api/collections/{name}/keys"
    return [
        operation("GET", path, collections.list_keys, access=ADMINISTRATOR),
        operation("POST", path, collections.create_key, access=ADMINISTRATOR, status=201),
        operation(
            "DELETE",
            f"{path}/{{key_id}}",
            collections.delete_key,
            access=ADMINISTRATOR,
            status=204,
        ),
    ]


def _documents() -> list[Operation]:
    """Analytics stores what people answer to gaps: the handler lets neighbours do that alone."""
    return [
        operation("GET", "/api/documents", library.list_documents, access=ADMINISTRATOR),
        operation(
            "POST",
            "/api/documents",
            library.upload_documents,
            access=ADMINISTRATOR,
            status=202,
            takes_files=True,
            instead_of_files=UrlsBody,
        ),
        operation("PUT", "/api/documents", library.put_document, access=NEIGHBOUR),
        operation(
            "DELETE",
            "/api/documents",
            library.delete_document_by_source,
            access=ADMINISTRATOR,
            status=204,
        ),
        operation(
            "GET", "/api/documents/{document_id}", library.get_document, access=ADMINISTRATOR
        ),
        operation(
            "GET", "/api/documents/{document_id}/chunks", library.list_chunks, access=ADMINISTRATOR
        ),
        operation("GET", "/api/passages", passages.list_passages, access=ADMINISTRATOR),
        operation(
            "DELETE",
            "/api/documents/{document_id}",
            library.delete_document,
            access=ADMINISTRATOR,
            status=204,
        ),
    ]


def _jobs() -> list[Operation]:
    path = "/api/jobs/{job_id}"
    return [
        operation("GET", "/api/jobs", jobs.list_jobs, access=ADMINISTRATOR),
        operation("GET", path, jobs.get_job, access=ADMINISTRATOR),
        operation("GET", f"{path}/stream", jobs.stream_job, access=ADMINISTRATOR),
        operation("POST", f"{path}/cancel", jobs.cancel_job, access=ADMINISTRATOR),
        operation("POST", f"{path}/retry", jobs.retry_job, access=ADMINISTRATOR, status=202),
    ]
