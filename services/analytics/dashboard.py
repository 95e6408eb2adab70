"""Statistics about poems. kb counts them when they are asked for, so what was deleted there is not
counted here, whatever events say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from services.analytics.dashboard_schemas import (
    Comparison,
    DashboardAnswer,
    DateGroup,
    DayCount,
    KbCounts,
    Made,
    MadePeriod,
    PoemAnalyticsAnswer,
    TranslatorCount,
)
from services.analytics.period import label_of
from services.kernel.errors import Overloaded, TrivetError
from services.kernel.http_client import NeighbourClient

_PATH = "/api/v1/poems/statistics"
_AWAY = "Poems are counted by kb, which does not answer now."


class PoemCounts:
    """kb's counts of poems. Each call raises Overloaded while kb is away."""

    def __init__(self, kb: NeighbourClient) -> None:
        self._kb = kb

    async def dashboard(self) -> DashboardAnswer:
        """All there is."""
        counts = await self._counts({})
        return DashboardAnswer(**_overview(counts), recent_activity=counts.recent)

    async def over_time(self, days: Sequence[date], group_by: DateGroup) -> PoemAnalyticsAnswer:
        """What was made on these days, which follow one another."""
        first, last = days[0], days[-1]
        params = {"date_from": first.isoformat(), "date_to": last.isoformat()}
        counts = await self._counts(params)
        return PoemAnalyticsAnswer(
            **_overview(counts),
            date_from=first,
            date_to=last,
            group_by=group_by,
            productivity=_periods(days, group_by, counts.days),
        )

    async def _counts(self, params: Mapping[str, str]) -> KbCounts:
        try:
            response = await self._kb.request("GET", _PATH, params=params)
            return KbCounts.model_validate_json(response.content)
        except (TrivetError, ValueError) as exc:
            raise Overloaded(_AWAY, retry_after_seconds=5) from exc


def _overview(counts: KbCounts) -> dict[str, Any]:
    by_type = {item.translator_type: item for item in counts.translators}
    ai, human = (
        TranslatorCount.model_validate(by_type[kind].model_dump() if kind in by_type else {})
        for kind in ("ai", "human")
    )
    return {
        "total_poets": counts.poets,
        "total_poems": counts.poems,
        "selected_poems": counts.selected_poems,
        "total_translations": counts.translations,
        "ai_translations": ai.translations,
        "human_translations": human.translations,
        "total_briefings": counts.briefings,
        "comparison": Comparison(ai=ai, human=human),
        "ratings": counts.ratings,
        "by_workflow": counts.usage,
        "source_languages": counts.source_languages,
        "target_languages": counts.target_languages,
    }


def _periods(
    days: Iterable[date], group_by: DateGroup, made: Iterable[DayCount]
) -> list[MadePeriod]:
    """Every period of the days, those in which nothing was made included."""
    periods: dict[str, MadePeriod] = {}
    for day in days:
        label = label_of(day, group_by)
        periods.setdefault(label, MadePeriod(label=label, start=day))
    for count in made:
        period = periods[label_of(count.day, group_by)]
        for name in Made.model_fields:
            setattr(period, name, getattr(period, name) + getattr(count, name))
        period.translations = period.ai_translations + period.human_translations
    return list(periods.values())
