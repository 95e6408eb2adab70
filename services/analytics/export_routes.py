"""The route by which all records leave as one file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeAlias

from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from services.analytics import export
from services.analytics.schemas import ExportQuery
from services.analytics.state import State
from services.kernel.auth import Access
from services.kernel.routing import Call, Operation, operation

ACall: TypeAlias = Call[State]


def operations() -> list[Operation]:
    """The administrator's."""
    return [
        operation("GET", "/api/analytics/export", get_export, access=Access.ADMINISTRATOR),
    ]


async def get_export(call: ACall, query: ExportQuery) -> Response:
    """All records as CSV or JSON lines, streamed, newest first"""
    first = await _export_page(call.state, query, None)
    return StreamingResponse(
        _exported(call.state, query, first),
        media_type=export.MEDIA_TYPES[query.format],
        headers={
            "Content-Disposition": f'attachment; filename="trivet-records.{query.format}"',
            "Cache-Control": "no-store",
        },
    )


async def _export_page(
    state: State, query: ExportQuery, cursor: str | None
) -> tuple[bytes, str | None]:
    """One page, encoded in the thread that read it, and the cursor of the next."""

    def page(connection: Connection) -> tuple[bytes, str | None]:
        return export.page(connection, state.dictionary, query, query.format, cursor)

    return await state.read(page, engine=state.database.exporting)


async def _exported(
    state: State, query: ExportQuery, page: tuple[bytes, str | None]
) -> AsyncIterator[bytes]:
    """Each page is a short read of its own: a slow reader holds no snapshot open. The next one is
    read while one is sent."""
    begin = export.head(query.format)
    while page[1] is not None:
        following = asyncio.create_task(_export_page(state, query, page[1]))
        try:
            yield begin + page[0]
            page, begin = await following, b""
        finally:
            following.cancel()  # where the reader has gone
    yield begin + page[0]
