"""The routes of what was asked and not answered."""

from __future__ import annotations

from typing import TypeAlias

from sqlalchemy import Connection
from starlette.responses import Response

from services.analytics import gaps
from services.analytics.gap_schemas import (
    GapAnswerBody,
    GapPage,
    GapsQuery,
    GapView,
    UnansweredAnswer,
    UnansweredQuery,
)
from services.analytics.intake import microseconds
from services.analytics.state import State
from services.analytics.unanswered import unanswered
from services.kernel.auth import Access
from services.kernel.errors import NotFound
from services.kernel.routing import Call, Operation, operation

ACall: TypeAlias = Call[State]


def operations() -> list[Operation]:
    """The administrator's."""
    at, admin = "/api/analytics", Access.ADMINISTRATOR
    return [
        operation("GET", f"{at}/unanswered", get_unanswered, access=admin),
        operation("GET", f"{at}/gaps", get_gaps, access=admin),
        operation("GET", f"{at}/gaps/golden", get_golden, access=admin),
        operation("POST", f"{at}/gaps/{{gap_id}}/answer", post_answer, access=admin),
    ]


async def get_unanswered(call: ACall, query: UnansweredQuery) -> UnansweredAnswer:
    """Questions of the last days that found nothing, or nothing that helped"""
    now = call.state.now()
    return await call.state.read(lambda connection: unanswered(connection, query, now))


async def get_gaps(call: ACall, query: GapsQuery) -> GapPage:
    """What was asked and not answered, the most pressing first"""
    now_us = microseconds(call.state.now())

    def page(connection: Connection) -> GapPage:
        views = gaps.ranked(connection, query.state, now_us)
        start = int(query.cursor or 0)
        end = start + query.limit
        return GapPage(
            items=views[start:end],
            next_cursor=str(end) if len(views) > end else None,
            total=len(views),
            unclustered=gaps.count_unclustered(connection),
        )

    return await call.state.read(page)


async def get_golden(call: ACall) -> Response:
    """The questions of answered gaps with their documents, as JSON lines for `trivet evaluate`"""
    lines = await call.state.read(gaps.golden_lines)
    return Response(lines, media_type="application/x-ndjson")


async def post_answer(call: ACall, body: GapAnswerBody) -> GapView:
    """Answer a gap: a document for kb, and the questions asked again"""
    state, now_us = call.state, microseconds(call.state.now())
    number = int(call.path["gap_id"]) if call.path["gap_id"].isdecimal() else -1
    gap = await state.read(lambda connection: gaps.one(connection, number, now_us))
    if gap is None:
        raise NotFound("There is no such gap.")
    await state.gap_answers.answer(gap, body, state.in_thread, now_us)
    answered = await state.read(lambda connection: gaps.one(connection, number, now_us))
    return answered or gap
