"""`/api/jobs`: how far work is that goes on after the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette.responses import StreamingResponse

from services.kb import jobs
from services.kb.database import Database
from services.kb.schemas import JobList, JobsQuery, JobView
from services.kb.state import State
from services.kernel.routing import Call
from services.kernel.sse import encode_comment, encode_event

_POLL_SECONDS = 0.3
_HEARTBEAT_SECONDS = 15.0
_ENDED = ("done", "failed", "cancelled")
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


async def list_jobs(call: Call[State], query: JobsQuery) -> JobList:
    """Lists the jobs of the last days, newest first"""
    found = await call.state.database.read(
        lambda c: jobs.page(c, before=query.cursor, limit=query.limit + 1)
    )
    items = [JobView.model_validate(view) for view in found[: query.limit]]
    return JobList(items=items, next_cursor=items[-1].id if len(found) > query.limit else None)


async def get_job(call: Call[State]) -> JobView:
    """How far a job is"""
    view = await call.state.database.read(lambda c: jobs.view(c, call.path["job_id"]))
    return JobView.model_validate(view)


async def stream_job(call: Call[State]) -> StreamingResponse:
    """A job's progress as server-sent events: `progress`, then `done`, `failed` or `cancelled`"""
    job_id = call.path["job_id"]
    database = call.state.database
    await database.read(lambda c: jobs.view(c, job_id, with_files=False))  # a 404 is no stream
    return StreamingResponse(
        _events(database, job_id), media_type="text/event-stream", headers=_HEADERS
    )


async def cancel_job(call: Call[State]) -> JobView:
    """Ends a job; what is stored already stays"""
    return await _changed(call, jobs.cancel)


async def retry_job(call: Call[State]) -> JobView:
    """Does again what failed or was cancelled"""
    return await _changed(call, jobs.retry)


async def _changed(call: Call[State], change: Any) -> JobView:
    job_id = call.path["job_id"]

    def work(connection: Any) -> dict[str, Any]:
        change(connection, job_id)
        return jobs.view(connection, job_id)

    view = await call.state.database.write(work)
    call.state.indexer.wake()
    return JobView.model_validate(view)


async def _events(database: Database, job_id: str) -> AsyncIterator[bytes]:
    """A view whenever it differs from the last; the last one has the files and their errors."""
    last: dict[str, Any] = {}
    silent_seconds = 0.0
    while True:
        view = await database.read(lambda c: jobs.view(c, job_id, with_files=False))
        if view["state"] in _ENDED:
            whole = await database.read(lambda c: jobs.view(c, job_id))
            yield encode_event(_json(whole), event=whole["state"])
            return
        if view != last:
            yield encode_event(_json(view), event="progress")
            last, silent_seconds = view, 0.0
        elif silent_seconds >= _HEARTBEAT_SECONDS:
            yield encode_comment("heartbeat")
            silent_seconds = 0.0
        await asyncio.sleep(_POLL_SECONDS)
        silent_seconds += _POLL_SECONDS


def _json(view: dict[str, Any]) -> bytes:
    return orjson.dumps(JobView.model_validate(view).model_dump())
