"""Work that goes on after the answer, kept in the database so that a killed process resumes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import uuid_utils
from sqlalchemy import Connection, delete, func, insert, select, update

from services.kb.models import CHUNKS, JOB_FILES, JOBS, PENDING, now
from services.kernel.errors import Conflict, NotFound

MAX_ATTEMPTS = 5
_KEPT = timedelta(days=7)
_RUNNING = ("queued", "running")


@dataclass(frozen=True)
class IncomingFile:
    """A file that waits on disk under the name `spool`; without one it is to be fetched from
    `source`. `url`: where it can be read, if anywhere."""

    source: str
    url: str
    spool: str = ""


def create_ingest(connection: Connection, collection: str, files: Sequence[IncomingFile]) -> str:
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
        .where(JOB_FILES.c.state == "queued", JOBS.c.state.in_(_RUNNING))
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
    """Says how far a job is; one that was cancelled meanwhile stays so."""
    connection.execute(
        update(JOBS)
        .where(JOBS.c.id == job_id, JOBS.c.state.in_(_RUNNING))
        .values(done=done, state=state, updated_at=now())
    )


def fail(connection: Connection, job_id: str, reason: str) -> None:
    connection.execute(
        update(JOBS)
        .where(JOBS.c.id == job_id, JOBS.c.state.in_(_RUNNING))
        .values(state="failed", error=reason, updated_at=now())
    )


def is_running(connection: Connection, job_id: str) -> bool:
    state = connection.execute(select(JOBS.c.state).where(JOBS.c.id == job_id)).scalar()
    return state in _RUNNING


def cancel(connection: Connection, job_id: str) -> None:
    """What is not done yet is left undone. Raises NotFound, and Conflict when the job has ended."""
    if _job(connection, job_id).state not in _RUNNING:
        raise Conflict("The job has ended already.")
    c = JOB_FILES.c
    waiting = update(JOB_FILES).where(c.job_id == job_id, c.state == "queued")
    connection.execute(waiting.values(state="cancelled"))
    cancelled = update(JOBS).where(JOBS.c.id == job_id)
    connection.execute(cancelled.values(state="cancelled", updated_at=now()))


def retry(connection: Connection, job_id: str) -> None:
    """Does again what failed or was cancelled. Raises NotFound, and Conflict when there is nothing
    of that, or the job is still at work."""
    job = _job(connection, job_id)
    if job.state in _RUNNING:
        raise Conflict("The job is still at work.")
    c = JOB_FILES.c
    undone = update(JOB_FILES).where(c.job_id == job_id, c.state.in_(("failed", "cancelled")))
    count = connection.execute(undone.values(state="queued", error="")).rowcount
    if not count and (job.kind == "ingest" or job.state == "done"):
        raise Conflict("Nothing of this job has failed.")
    done = JOBS.c.total - count if job.kind == "ingest" else 0
    again = update(JOBS).where(JOBS.c.id == job_id)
    connection.execute(again.values(state="queued", error="", done=done, updated_at=now()))


def spools(connection: Connection) -> dict[str, str]:
    """State by name of the files that jobs of the last days came with."""
    c = JOB_FILES.c
    query = select(c.spool, c.state).where(c.spool != "")
    return {row.spool: row.state for row in connection.execute(query)}


def _job(connection: Connection, job_id: str) -> Any:
    job = connection.execute(select(JOBS).where(JOBS.c.id == job_id)).one_or_none()
    if job is None:
        raise NotFound("There is no such job.")
    return job


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


def view(connection: Connection, job_id: str, *, with_files: bool = True) -> dict[str, Any]:
    """A job as it is shown. Raises NotFound."""
    job = _job(connection, job_id)
    states = _file_states(connection, job_id)
    ingests = job.kind == "ingest"
    total, pending = _passages(connection, job_id) if ingests else (job.total, job.total - job.done)
    return {
        "id": job.id,
        "kind": job.kind,
        "collection": job.collection,
        "state": job.state,
        "error": job.error or None,
        "progress": _progress(job, total, pending),
        "files_total": sum(states.values()),
        "files_done": sum(states.values()) - states.get("queued", 0),
        "files_failed": states.get("failed", 0),
        "chunks_total": total,
        "chunks_done": total - pending,
        "files": _files(connection, job_id) if with_files else [],
        "created_at": job.created_at,
        "updated_at": job.updated_at,
    }


def page(connection: Connection, *, before: str, limit: int) -> list[dict[str, Any]]:
    """Jobs without their files, newest first, from before the job with the id `before`."""
    query = select(JOBS.c.id).order_by(JOBS.c.id.desc()).limit(limit)
    if before:
        query = query.where(JOBS.c.id < before)
    return [view(connection, job_id, with_files=False) for (job_id,) in connection.execute(query)]


def _files(connection: Connection, job_id: str) -> list[dict[str, Any]]:
    c = JOB_FILES.c
    listed = select(c.source, c.state, c.error, c.document_id).where(c.job_id == job_id)
    return [
        {
            "source": row.source,  # "" for an address that was none
            "state": row.state,
            "error": row.error or None,
            "document_id": row.document_id or None,
        }
        for row in connection.execute(listed.order_by(c.number))
    ]


def _progress(job: Any, total: int, pending: int) -> int:
    """0 to 100. Reading files is a tenth of the work, embedding their passages the rest."""
    if job.state == "done":
        return 100
    read = job.done / job.total if job.total else 1.0
    indexed = (total - pending) / total if total else 0.0
    if job.kind == "rebuild":
        return int(99 * read)
    return int(10 * read + 89 * read * indexed)
