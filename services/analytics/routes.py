"""The route table at a glance, and thin handlers."""

from __future__ import annotations

from typing import TypeAlias

from sqlalchemy import Connection
from starlette.responses import StreamingResponse

from services.analytics import (
    conversation_routes,
    dashboard_routes,
    export_routes,
    gap_routes,
    intake_routes,
    sessions,
)
from services.analytics.health import health
from services.analytics.queries import RecordFinder
from services.analytics.record import RecordWriter, rfc3339
from services.analytics.retention import clean_up
from services.analytics.schemas import (
    MAX_DAYS_BY_HOUR,
    CleanupAnswer,
    CleanupBody,
    HealthAnswer,
    QueriesQuery,
    RecordPage,
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
from services.kernel.auth import Access
from services.kernel.errors import Conflict, Unprocessable
from services.kernel.routing import Call, Operation, operation

ACall: TypeAlias = Call[State]


def operations() -> list[Operation]:
    """What analytics offers."""
    at = "/api/analytics"
    admin, public = Access.ADMINISTRATOR, Access.PUBLIC
    return [
        operation("GET", f"{at}/health", get_health, access=public),
        operation("GET", f"{at}/statistics", get_statistics, access=admin),
        operation("GET", f"{at}/queries", get_queries, access=admin),
        operation("POST", f"{at}/cleanup", post_cleanup, access=admin),
        operation("GET", f"{at}/sessions", get_sessions, access=admin),
        operation("GET", f"{at}/live", get_live, access=admin),
        operation("GET", f"{at}/intent-distribution", get_intents, access=admin),
        operation("GET", f"{at}/query-trend", get_trend, access=admin),
        *intake_routes.operations(),
        *export_routes.operations(),
        *gap_routes.operations(),
        *conversation_routes.operations(),
        *dashboard_routes.operations(),
    ]


async def get_health(call: ACall) -> HealthAnswer:
    """State, rows, size and the writer's lag"""
    return await health(call.state)


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
