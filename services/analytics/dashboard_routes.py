"""The part of the route table that is about poems."""

from __future__ import annotations

from services.analytics.dashboard_schemas import DashboardAnswer, PoemAnalyticsAnswer, PoemsQuery
from services.analytics.state import State
from services.kernel.auth import Access
from services.kernel.errors import Unprocessable
from services.kernel.routing import Call, Operation, operation

_AT = "/api/v1/statistics"


def operations() -> list[Operation]:
    """What is shown of poems."""
    admin = Access.ADMINISTRATOR
    return [
        operation("GET", f"{_AT}/dashboard", get_dashboard, access=admin),
        operation("GET", f"{_AT}/analytics", get_poem_analytics, access=admin),
    ]


async def get_dashboard(call: Call[State]) -> DashboardAnswer:
    """Poems, translations and briefings that there are, and the newest of them"""
    return await call.state.poem_counts.dashboard()


async def get_poem_analytics(call: Call[State], query: PoemsQuery) -> PoemAnalyticsAnswer:
    """Poems, translations and briefings of some days: who made them, how good, at what cost"""
    try:
        days = query.days(call.state.now().date())
    except ValueError as exc:
        raise Unprocessable(f"date_from: {exc}", param="date_from") from exc
    return await call.state.poem_counts.over_time(days, query.group_by)
