"""Questions by what they are about, and how that changes."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection

from services.analytics.models import BUCKET_US
from services.analytics.period import Periods, window
from services.analytics.period_sums import intents_by_period, sums_by_period
from services.analytics.record import rfc3339
from services.analytics.schemas import StatisticsQuery
from services.analytics.trend_schemas import IntentCount, IntentsAnswer, TrendAnswer, TrendPeriod


def intent_distribution(
    connection: Connection, query: StatisticsQuery, now: datetime
) -> IntentsAnswer:
    """How many questions of the window were about what, most first."""
    periods = Periods(window(query.days, query.tz, now), "month")
    counts: Counter[str] = Counter()
    for found in intents_by_period(connection, periods):
        counts.update(found)
    total = counts.total()
    return IntentsAnswer(
        days=query.days,
        tz=query.tz,
        total=total,
        intents=[
            IntentCount(intent=name, count=count, share=round(count / total, 6))
            for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ],
    )


def query_trend(connection: Connection, query: StatisticsQuery, now: datetime) -> TrendAnswer:
    """Questions and searches of each period, and what the questions were about."""
    periods = Periods(window(query.days, query.tz, now), query.group_by)
    sums = sums_by_period(connection, periods)
    intents = intents_by_period(connection, periods)
    told = zip(periods.labels, periods.starts, sums, intents, strict=True)
    return TrendAnswer(
        days=query.days,
        tz=query.tz,
        group_by=query.group_by,
        series=[
            TrendPeriod(
                label=label,
                start=rfc3339(start * BUCKET_US),
                questions=counted["questions"],
                searches=counted["searches"],
                zero_hits=counted["zero_hits"],
                intents=about,
            )
            for label, start, counted, about in told
        ],
    )
