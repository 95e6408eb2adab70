"""The route table at a glance, and thin handlers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeAlias

import uuid_utils
from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from services.analytics import conversation_routes, dashboard_routes, export, gaps, sessions
from services.analytics.gap_schemas import (
    FeedbackAnswer,
    FeedbackBody,
    GapAnswerBody,
    GapPage,
    GapsQuery,
    GapView,
    UnansweredAnswer,
    UnansweredQuery,
)
from services.analytics.health import health
from services.analytics.intake import microseconds, take_in
from services.analytics.queries import RecordFinder
from services.analytics.record import RecordWriter, rfc3339
from services.analytics.retention import clean_up
from services.analytics.schemas import (
    MAX_DAYS_BY_HOUR,
    CleanupAnswer,
    CleanupBody,
    EventsAnswer,
    EventsBody,
    ExportQuery,
    HealthAnswer,
    QueriesQuery,
    RecordPage,
    RejectedEvent,
    StatisticsAnswer,
    StatisticsQuery,
)
from services.analytics.state import State
from services.analytics.statistics import statistics
from services.analytics.trend_schemas import (
    IntentsAnswer,
    LiveQuery,
    SessionPage,
    SessionsQuery,
    SessionView,
    TrendAnswer,
)
from services.analytics.trends import intent_distribution, query_trend
from services.analytics.unanswered import unanswered
from services.kernel.auth import Access
from services.kernel.errors import Conflict, NotFound, Unprocessable
from services.kernel.routing import Call, Operation, operation

ACall: TypeAlias = Call[State]
_TOO_OLD = "time: before the cutoff of the last cleanup"


def operations() -> list[Operation]:
    """What analytics offers."""
    at = "/api/analytics"
    admin, neighbour, public = Access.ADMINISTRATOR, Access.NEIGHBOUR, Access.PUBLIC
    return [
        operation("GET", f"{at}/health", get_health, access=public),
        operation("POST", f"{at}/events", post_events, access=neighbour),
        operation("POST", f"{at}/feedback", post_feedback, access=public, status=201),
        operation("GET", f"{at}/statistics", get_statistics, access=admin),
        operation("GET", f"{at}/queries", get_queries, access=admin),
        operation("GET", f"{at}/export", get_export, access=admin),
        operation("POST", f"{at}/cleanup", post_cleanup, access=admin),
        operation("GET", f"{at}/sessions", get_sessions, access=admin),
        operation("GET", f"{at}/live", get_live, access=admin),
        operation("GET", f"{at}/intent-distribution", get_intents, access=admin),
        operation("GET", f"{at}/query-trend", get_trend, access=admin),
        operation("GET", f"{at}/unanswered", get_unanswered, access=admin),
        operation("GET", f"{at}/gaps", get_gaps, access=admin),
        operation("GET", f"{at}/gaps/golden", get_golden, access=admin),
        operation("POST", f"{at}/gaps/{{gap_id}}/answer", post_answer, access=admin),
        *conversation_routes.operations(),
        *dashboard_routes.operations(),
    ]


async def get_health(call: ACall) -> HealthAnswer:
    """State, rows, size and the writer's lag"""
    return await health(call.state)


async def post_events(call: ACall, body: EventsBody) -> EventsAnswer:
    """Take in events; the same id twice is one event"""
    return await _store(call.state, body.events)


async def post_feedback(call: ACall, body: FeedbackBody) -> FeedbackAnswer:
    """Vote on an answer, by the id of its request"""
    state = call.state
    state.feedback_limit.admit(call.context.client)
    event = {
        "id": str(uuid_utils.uuid7()),
        "kind": "feedback",
        "time": state.now(),
        "service": "analytics",
        "request_id": call.request_id,
        "session_id": call.session_id,
        "visitor_id": call.context.visitor_id,
        "attributes": {
            "trivet.rating": body.rating,
            "trivet.comment": body.comment,
            "trivet.rated_request_id": body.request_id,
        },
    }
    await _store(state, [event])
    return FeedbackAnswer(id=str(event["id"]))


async def get_statistics(call: ACall, query: StatisticsQuery) -> StatisticsAnswer:
    """Totals, percentiles, series and top queries of the last days"""
    _check_hours(query)
    state, now = call.state, call.state.now()
    return await state.read(
        lambda connection: statistics(
            connection, state.dictionary, state.question_counts, query, now
        )
    )


def _check_hours(query: StatisticsQuery) -> None:
    if query.group_by == "hour" and query.days > MAX_DAYS_BY_HOUR:
        raise Unprocessable(f"days: at most {MAX_DAYS_BY_HOUR} by the hour", param="days")


async def get_queries(call: ACall, query: QueriesQuery) -> RecordPage:
    """Records, newest first"""

    def page(connection: Connection) -> RecordPage:
        dictionary = call.state.dictionary
        finder = RecordFinder(connection, dictionary)
        rows, following = finder.page(query, query.limit, query.cursor)
        items = RecordWriter(dictionary).records(rows)
        return RecordPage.model_validate({"items": items, "next_cursor": following})

    return await call.state.read(page)


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


async def post_cleanup(call: ACall, body: CleanupBody) -> CleanupAnswer:
    """Delete old records, or say what would go; the sums stay"""
    state = call.state
    if state.cleaning.locked():
        raise Conflict("A cleanup is running already.")
    async with state.cleaning:
        path, now = state.settings.database_path, state.now()
        return await state.in_thread(lambda: clean_up(state.database.writing, path, body, now))


async def get_sessions(call: ACall, query: SessionsQuery) -> SessionPage:
    """Conversations, the last heard of first"""
    rows, following = await call.state.read(
        lambda connection: sessions.page(connection, query.limit, query.cursor)
    )
    items = [
        SessionView(
            session_id=row.name,
            started=rfc3339(row.started_us),
            last=rfc3339(row.last_us),
            duration_seconds=(row.last_us - row.started_us) / 10**6,
            events=row.events,
            questions=row.questions,
        )
        for row in rows
    ]
    return SessionPage(items=items, next_cursor=following)


async def get_live(call: ACall, query: LiveQuery) -> StreamingResponse:
    """Records as they arrive, as server-sent events: `record`, and `missed` with a number"""
    return StreamingResponse(
        await call.state.live.stream(query.kind),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


async def get_intents(call: ACall, query: StatisticsQuery) -> IntentsAnswer:
    """What questions were about, by the keyword rules"""
    now = call.state.now()
    return await call.state.read(lambda connection: intent_distribution(connection, query, now))


async def get_trend(call: ACall, query: StatisticsQuery) -> TrendAnswer:
    """Questions over time, and what they were about"""
    _check_hours(query)
    now = call.state.now()
    return await call.state.read(lambda connection: query_trend(connection, query, now))


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


async def _store(state: State, events: Sequence[Any]) -> EventsAnswer:
    """Checks, writes, and answers when what was taken is durable."""
    settings, now = state.settings, state.now()
    found = await state.check(
        lambda: take_in(
            events,
            store_questions=settings.store_questions,
            store_answers=settings.store_answers,
            now=now,
        )
    )
    stored = await state.writer.write([record for _, record in found.records])
    too_old = [(found.records[place][0], _TOO_OLD) for place in stored.too_old]
    rejected = sorted([*found.rejected, *too_old])
    state.metrics.count(stored.accepted, stored.duplicates, len(rejected))
    return EventsAnswer(
        accepted=stored.accepted,
        duplicates=stored.duplicates,
        rejected=[RejectedEvent(index=index, message=why) for index, why in rejected],
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
