"""Totals, series, percentiles and top queries of the last days.

Sums and percentiles come from the rollups, so they stay when a cleanup takes the records; top
queries are read from the records that are still there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, true

from services.analytics.histogram import percentiles_us
from services.analytics.labels import number_of, words_by_number
from services.analytics.models import BUCKET_US, Event, Kind, Rollup, SessionRollup, table
from services.analytics.period import Periods, Window, window
from services.analytics.queries import rfc3339
from services.analytics.schemas import (
    ModelStatistics,
    Percentiles,
    Period,
    StatisticsAnswer,
    StatisticsQuery,
    TopQuery,
    Totals,
)

_event = table(Event)
_rollup = table(Rollup)
_sessions = table(SessionRollup)
_QUANTILES = (0.5, 0.95, 0.99)
_TOP = 20
_ASSISTANT = "assistant"  # the cause of a search that no person made

Words: TypeAlias = dict[int, str]


def _is(kind: Kind) -> ColumnElement[bool]:
    return _rollup.c.kind == int(kind)


_FAILED = or_(_rollup.c.error_type != 0, _is(Kind.error))


def _sum_where(condition: ColumnElement[bool], column: ColumnElement[Any]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, column), else_=0)), 0)


def _sum(name: str) -> ColumnElement[int]:
    return func.coalesce(func.sum(_rollup.c[name]), 0)


_SUMS = (
    _sum_where(_is(Kind.chat), _rollup.c.events).label("questions"),
    _sum_where(_is(Kind.search), _rollup.c.events).label("searches"),
    _sum_where(_FAILED, _rollup.c.events).label("errors"),
    *(
        _sum(name).label(name)
        for name in (
            "events",
            "zero_hits",
            "input_tokens",
            "output_tokens",
            "cost_nano_usd",
            "thumbs_up",
            "thumbs_down",
        )
    ),
)


def statistics(connection: Connection, query: StatisticsQuery, now: datetime) -> StatisticsAnswer:
    """All that `GET /api/analytics/statistics` tells; one snapshot of the database."""
    asked = window(query.days, query.tz, now)
    words = words_by_number(connection)
    latencies = _Latencies(connection, asked)
    return StatisticsAnswer(
        **totals(connection, asked).model_dump(),
        days=query.days,
        tz=query.tz,
        group_by=query.group_by,
        start=_bucket_start(asked.first),
        end=_bucket_start(asked.end),
        errors=_counts_by(connection, asked, "error_type", _FAILED, words),
        end_reasons=_counts_by(connection, asked, "end_reason", _is(Kind.chat), words),
        duration_seconds=latencies.of("durations", Kind.chat),
        first_token_seconds=latencies.of("first_tokens", Kind.chat),
        search_duration_seconds=latencies.of("durations", Kind.search),
        by_provider=_by_model(connection, asked, ("provider",), words, latencies),
        by_model=_by_model(connection, asked, ("provider", "model"), words, latencies),
        top_queries=_top_queries(connection, asked),
        series=_series(connection, asked, query),
    )


def totals(connection: Connection, asked: Window | None = None) -> Totals:
    """The sums of a window, or of all time."""
    inside, begun = (_inside(asked), _begun_inside(asked)) if asked else (true(), true())
    row = connection.execute(select(*_SUMS).where(inside)).one()
    sessions = select(func.coalesce(func.sum(_sessions.c.sessions), 0)).where(begun)
    return Totals(
        total_events=row.events,
        total_questions=row.questions,
        total_searches=row.searches,
        total_zero_hits=row.zero_hits,
        total_sessions=connection.scalar(sessions) or 0,
        total_input_tokens=row.input_tokens,
        total_output_tokens=row.output_tokens,
        total_tokens=row.input_tokens + row.output_tokens,
        total_cost_usd=_usd(row.cost_nano_usd),
        total_errors=row.errors,
        total_thumbs_up=row.thumbs_up,
        total_thumbs_down=row.thumbs_down,
    )


def _inside(asked: Window) -> ColumnElement[bool]:
    return and_(_rollup.c.bucket >= asked.first, _rollup.c.bucket < asked.end)


def _begun_inside(asked: Window) -> ColumnElement[bool]:
    return and_(_sessions.c.bucket >= asked.first, _sessions.c.bucket < asked.end)


def _usd(nano_usd: int) -> float:
    return nano_usd / 10**9


def _bucket_start(bucket: int) -> str:
    return rfc3339(bucket * BUCKET_US)


def _counts_by(
    connection: Connection,
    asked: Window,
    column: str,
    condition: ColumnElement[bool],
    words: Words,
) -> dict[str, int]:
    """How many events there are of each label, most first."""
    number = _rollup.c[column]
    count = func.sum(_rollup.c.events)
    rows = connection.execute(
        select(number, count).where(_inside(asked), condition).group_by(number)
    )
    found = {words.get(n, "unknown"): int(c) for n, c in rows}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


class _Latencies:
    """The histograms of a window, read once, merged as they are asked for."""

    def __init__(self, connection: Connection, asked: Window) -> None:
        columns = [
            _rollup.c[name] for name in ("kind", "provider", "model", "durations", "first_tokens")
        ]
        timed = _rollup.c.kind.in_([int(Kind.chat), int(Kind.search)])
        self._rows = connection.execute(select(*columns).where(_inside(asked), timed)).all()

    def of(self, measure: str, kind: Kind, **labels: int) -> Percentiles:
        """Percentiles of `durations` or `first_tokens`, of all or of certain labels."""
        blobs: Iterable[bytes] = (
            getattr(row, measure)
            for row in self._rows
            if row.kind == kind and all(getattr(row, n) == v for n, v in labels.items())
        )
        seconds = [v and round(v / 10**6, 6) for v in percentiles_us(blobs, _QUANTILES)]
        return Percentiles(p50=seconds[0], p95=seconds[1], p99=seconds[2])


def _by_model(
    connection: Connection,
    asked: Window,
    names: tuple[str, ...],
    words: Words,
    latencies: _Latencies,
) -> list[ModelStatistics]:
    """Chats by provider, or by provider and model; the busiest first."""
    columns = [_rollup.c[name] for name in names]
    rows = connection.execute(
        select(*columns, *_SUMS).where(_inside(asked), _is(Kind.chat)).group_by(*columns)
    )
    found = []
    for row in rows:
        labels = {name: getattr(row, name) for name in names}
        found.append(
            ModelStatistics(
                provider=words.get(row.provider),
                model=words.get(labels.get("model", 0)),
                questions=row.questions,
                errors=row.errors,
                input_tokens=row.input_tokens,
                output_tokens=row.output_tokens,
                cost_usd=_usd(row.cost_nano_usd),
                duration_seconds=latencies.of("durations", Kind.chat, **labels),
                first_token_seconds=latencies.of("first_tokens", Kind.chat, **labels),
            )
        )
    return sorted(found, key=lambda m: (-m.questions, m.provider or "", m.model or ""))


def _top_queries(connection: Connection, asked: Window) -> list[TopQuery]:
    """What people asked and searched for most. A search that an assistant made for a question is
    not another asking, but its zero hits count."""
    by_assistant = _event.c.cause == number_of(connection, _ASSISTANT)
    by_person = and_(
        _event.c.kind == int(Kind.search), or_(_event.c.cause.is_(None), ~by_assistant)
    )
    question = _event.c.kind == int(Kind.chat)
    count = func.sum(case((or_(question, by_person), 1), else_=0))
    columns = (
        _event.c.text,
        count.label("count"),
        func.sum(case((question, 1), else_=0)).label("questions"),
        func.sum(case((by_person, 1), else_=0)).label("searches"),
        func.sum(case((_event.c.total_found == 0, 1), else_=0)).label("zero_hits"),
        func.max(_event.c.time_us).label("last_us"),
    )
    statement = (
        select(*columns)
        .where(
            _event.c.time_us >= asked.first * BUCKET_US,
            _event.c.time_us < asked.end * BUCKET_US,
            _event.c.kind.in_([int(Kind.chat), int(Kind.search)]),
            _event.c.text.is_not(None),
        )
        .group_by(_event.c.text)
        .having(count > 0)
        .order_by(count.desc(), func.max(_event.c.time_us).desc(), _event.c.text)
        .limit(_TOP)
    )
    return [
        TopQuery(
            text=row.text,
            count=row._mapping["count"],
            questions=row.questions,
            searches=row.searches,
            zero_hits=row.zero_hits,
            last_asked=rfc3339(row.last_us),
        )
        for row in connection.execute(statement)
    ]


def _series(connection: Connection, asked: Window, query: StatisticsQuery) -> list[Period]:
    """One entry for each period of the window, empty ones too."""
    periods = Periods(asked, query.group_by)
    sums: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    by_bucket = select(_rollup.c.bucket, *_SUMS).where(_inside(asked)).group_by(_rollup.c.bucket)
    begun = select(_sessions).where(_begun_inside(asked))
    for row in [*connection.execute(by_bucket), *connection.execute(begun)]:
        values = dict(row._mapping)
        target = sums[periods.index_of(values.pop("bucket"))]
        for name, value in values.items():
            target[name] += value
    return [
        _period(label, start, sums[place])
        for place, (label, start) in enumerate(zip(periods.labels, periods.starts, strict=True))
    ]


def _period(label: str, start: int, sums: dict[str, int]) -> Period:
    shown = {name: value for name, value in sums.items() if name in Period.model_fields}
    cost_usd = _usd(sums.get("cost_nano_usd", 0))
    return Period(label=label, start=_bucket_start(start), cost_usd=cost_usd, **shown)
