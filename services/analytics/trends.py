"""Questions by what they are about, and how that changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime

from sqlalchemy import Connection, select

from services.analytics.gap_models import Intent
from services.analytics.models import BUCKET_US, Pulse, table
from services.analytics.period import Periods, Window, window
from services.analytics.record import rfc3339
from services.analytics.schemas import StatisticsQuery
from services.analytics.trend_schemas import IntentCount, IntentsAnswer, TrendAnswer, TrendPeriod

_intent = table(Intent)
_pulse = table(Pulse)


def intent_distribution(
    connection: Connection, query: StatisticsQuery, now: datetime
) -> IntentsAnswer:
    """How many questions of the window were about what, most first."""
    asked = window(query.days, query.tz, now)
    counts: Counter[str] = Counter()
    for _, name, questions in _counted(connection, asked):
        counts[name] += questions
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
    asked = window(query.days, query.tz, now)
    periods = Periods(asked, query.group_by)
    sums: dict[int, Counter[str]] = defaultdict(Counter)
    intents: dict[int, Counter[str]] = defaultdict(Counter)
    inside = (_pulse.c.bucket >= asked.first) & (_pulse.c.bucket < asked.end)
    columns = (_pulse.c.bucket, _pulse.c.questions, _pulse.c.searches, _pulse.c.zero_hits)
    for bucket, *values in connection.execute(select(*columns).where(inside)):
        place = periods.index_of(bucket)
        for name, value in zip(("questions", "searches", "zero_hits"), values, strict=True):
            sums[place][name] += value
    for bucket, name, questions in _counted(connection, asked):
        intents[periods.index_of(bucket)][name] += questions
    return TrendAnswer(
        days=query.days,
        tz=query.tz,
        group_by=query.group_by,
        series=[
            TrendPeriod(
                label=label,
                start=rfc3339(start * BUCKET_US),
                questions=sums[place]["questions"],
                searches=sums[place]["searches"],
                zero_hits=sums[place]["zero_hits"],
                intents=dict(intents[place].most_common()),
            )
            for place, (label, start) in enumerate(zip(periods.labels, periods.starts, strict=True))
        ],
    )


def _counted(connection: Connection, asked: Window) -> list[tuple[int, str, int]]:
    inside = (_intent.c.bucket >= asked.first) & (_intent.c.bucket < asked.end)
    rows = connection.execute(select(_intent).where(inside))
    return [(row.bucket, row.name, row.questions) for row in rows]
