"""Work that goes on after the answer, kept in the database so that a killed process resumes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import uuid_utils
from sqlalchemy import Connection, delete, func, insert, select, update

from services.kb.models import CHUNKS, JOB_FILES, JOBS, PENDING, now
from services.kernel.errors import NotFound

MAX_ATTEMPTS = 5
_KEPT = timedelta(days=7)
_RUNNING = ("queued", "running")


@dataclass(frozen=True)
class SpooledFile:
    """An uploaded file that waits on disk under the name `spool`."""

    source: str
    url: str
    spool: str


def create_ingest(connection: Connection, collection: str, files: Sequence[SpooledFile]) -> str:
    """A job that stores and indexes files; returns its id."""
    job_id = _create(connection, "ingest", collection, len(files))
    rows = [
        {
            "job_id": job_id,
            "number": number,
            "source": file.source,
            "url": file.url,
            "spool": file.spool,
            "state": "queued",
            "error": "",
            "document_id": "",
        }
        for number, file in enumerate(files)
    ]
    connection.execute(insert(JOB_FILES), rows)
    return job_id


def create_rebuild(connection: Connection, collection: str, chunks: int) -> str:
    """A job that makes a collection's indexes anew; one that waits already is the answer."""
    c = JOBS.c
    waiting = select(c.id).where(
        c.kind == "rebuild", c.collection == collection, c.state == "queued"
    )
    row = connection.execute(waiting).first()
    return str(row.id) if row else _create(connection, "rebuild", collection, chunks)


def _create(connection: Connection, kind: str, collection: str, total: int) -> str:
    oldest = (datetime.now(UTC) - _KEPT).isoformat()
    old = delete(JOBS).where(JOBS.c.updated_at < oldest, JOBS.c.state.not_in(_RUNNING))
    connection.execute(old)
    job_id = uuid_utils.uuid7().hex
    connection.execute(
        insert(JOBS).values(
            id=job_id,
            kind=kind,
            collection=collection,
            state="queued",
            error="",
            total=total,
            done=0,
            created_at=now(),
            updated_at=now(),
        )
    )
    return job_id


def next_file(connection: Connection) -> Any | None:
    """The file that has waited longest, with its job's `collection`."""
    query = (
        select(JOB_FILES, JOBS.c.collection)
        .join(JOBS, JOBS.c.id == JOB_FILES.c.job_id)
        .where(JOB_FILES.c.state == "queued")
        .order_by(JOB_FILES.c.job_id, JOB_FILES.c.number)
    )
    return connection.execute(query.limit(1)).first()


def next_rebuild(connection: Connection) -> Any | None:
    """The rebuild that has waited longest; one that was cut off begins again."""
    query = select(JOBS).where(JOBS.c.kind == "rebuild", JOBS.c.state.in_(_RUNNING))
    return connection.execute(query.order_by(JOBS.c.id).limit(1)).first()


def finish_file(
    connection: Connection, file: Any, *, document_id: str = "", error: str = ""
) -> None:
    """The file is stored, or refused with a reason."""
    connection.execute(
        update(JOB_FILES)
        .where(JOB_FILES.c.job_id == file.job_id, JOB_FILES.c.number == file.number)
        .values(state="failed" if error else "stored", document_id=document_id, error=error)
    )
    advance(connection, file.job_id, done=JOBS.c.done + 1)


def advance(connection: Connection, job_id: str, *, done: Any, state: str = "running") -> None:
    connection.execute(
        update(JOBS).where(JOBS.c.id == job_id).values(done=done, state=state, updated_at=now())
    )


def fail(connection: Connection, job_id: str, reason: str) -> None:
    connection.execute(
        update(JOBS)
        .where(JOBS.c.id == job_id)
        .values(state="failed", error=reason, updated_at=now())
    )


def anything_to_settle(connection: Connection) -> bool:
    running = select(JOBS.c.id).where(JOBS.c.kind == "ingest", JOBS.c.state == "running")
    return connection.execute(running.limit(1)).first() is not None


def settle(connection: Connection) -> None:
    """Ends the ingest jobs whose files are read and whose passages are all indexed."""
    running = select(JOBS.c.id).where(JOBS.c.kind == "ingest", JOBS.c.state == "running")
    for (job_id,) in connection.execute(running).all():
        states = _file_states(connection, job_id)
        if states.get("queued") or _passages(connection, job_id)[1]:
            continue
        if states.get("failed") and not states.get("stored"):
            fail(connection, job_id, "No file could be read.")
        else:
            advance(connection, job_id, done=JOBS.c.done, state="done")


def _file_states(connection: Connection, job_id: str) -> dict[str, int]:
    c = JOB_FILES.c
    query = select(c.state, func.count()).where(c.job_id == job_id).group_by(c.state)
    return {row.state: row[1] for row in connection.execute(query)}


def _passages(connection: Connection, job_id: str) -> tuple[int, int]:
    """(passages of the job's documents, those that are still to be indexed)."""
    query = (
        select(func.count(), func.count(PENDING.c.chunk_id))
        .select_from(JOB_FILES)
        .join(CHUNKS, CHUNKS.c.document_id == JOB_FILES.c.document_id)
        .outerjoin(
            PENDING,
            (PENDING.c.chunk_id == CHUNKS.c.id) & (PENDING.c.attempts < MAX_ATTEMPTS),
        )
        .where(JOB_FILES.c.job_id == job_id)
    )
    total, pending = connection.execute(query).one()
    return int(total), int(pending)


def view(connection: Connection, job_id: str) -> dict[str, Any]:
    """A job as it is shown. Raises NotFound."""
    job = connection.execute(select(JOBS).where(JOBS.c.id == job_id)).one_or_none()
    if job is None:
        raise NotFound("There is no such job.")
    c = JOB_FILES.c
    listed = select(c.source, c.state, c.error, c.document_id).where(c.job_id == job_id)
    files = [
        {name: value or None for name, value in row._mapping.items()}
        for row in connection.execute(listed.order_by(c.number))
    ]
    total, pending = _passages(connection, job_id) if files else (job.total, job.total - job.done)
    return {
        "id": job.id,
        "kind": job.kind,
        "collection": job.collection,
        "state": job.state,
        "error": job.error or None,
        "progress": _progress(job, total, pending),
        "files_total": len(files),
        "files_done": sum(file["state"] != "queued" for file in files),
        "chunks_total": total,
        "chunks_done": total - pending,
        "files": files,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
    }


def _progress(job: Any, total: int, pending: int) -> int:
    """0 to 100. Reading files is a tenth of the work, embedding their passages the rest."""
    if job.state == "done":
        return 100
    read = job.done / job.total if job.total else 1.0
    indexed = (total - pending) / total if total else 0.0
    if job.kind == "rebuild":
        return int(99 * read)
    return int(10 * read + 89 * read * indexed)
