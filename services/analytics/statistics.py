"""Totals, series, percentiles and top queries of the last days.

Sums and percentiles come from the rollups, so they stay when a cleanup takes the records: whole
days of UTC from the sums of days, the rest of the reader's window from quarters of an hour.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, union_all

from services.analytics.combination import Dictionary, FacetWords
from services.analytics.histogram import percentiles_us
from services.analytics.models import (
    BUCKET_US,
    BUCKETS_PER_DAY,
    PULSE_COLUMNS,
    SUM_COLUMNS,
    Pulse,
    Rollup,
    RollupDay,
    table,
)
from services.analytics.period import Periods, Window, window
from services.analytics.period_sums import sums_by_period
from services.analytics.question_counts import QuestionCounts
from services.analytics.record import rfc3339
from services.analytics.schemas import (
    ModelStatistics,
    Percentiles,
    Period,
    StatisticsAnswer,
    StatisticsQuery,
    Totals,
)
from services.analytics.top_queries import top_queries

_quarter = table(Rollup)
_day = table(RollupDay)
_pulse = table(Pulse)
_QUANTILES = (0.5, 0.95, 0.99)
_MEASURES = ("durations", "first_tokens")


def statistics(
    connection: Connection,
    dictionary: Dictionary,
    counts: QuestionCounts,
    query: StatisticsQuery,
    now: datetime,
) -> StatisticsAnswer:
    """All that `GET /api/analytics/statistics` tells; one snapshot of the database."""
    asked = window(query.days, query.tz, now)
    facets = _Facets(connection, dictionary.refreshed(connection), asked)
    top, missed = top_queries(connection, counts, asked)
    periods = Periods(asked, query.group_by)
    by_period = sums_by_period(connection, periods)
    sums = {name: sum(period[name] for period in by_period) for name in PULSE_COLUMNS}
    return StatisticsAnswer(
        **_totals(sums).model_dump(),
        days=query.days,
        tz=query.tz,
        group_by=query.group_by,
        start=_bucket_start(asked.first),
        end=_bucket_start(asked.end),
        errors=facets.events_by("error_type", _failed),
        end_reasons=facets.events_by("end_reason", _is_chat),
        duration_seconds=facets.percentiles("durations", _is_chat),
        first_token_seconds=facets.percentiles("first_tokens", _is_chat),
        search_duration_seconds=facets.percentiles("durations", _is_search),
        by_provider=facets.by_model(lambda words: (words.provider, None)),
        by_model=facets.by_model(lambda words: (words.provider, words.model)),
        top_queries=top,
        top_queries_missed_at_most=missed,
        series=[
            _period(label, start, values)
            for label, start, values in zip(periods.labels, periods.starts, by_period, strict=True)
        ],
    )


def totals(connection: Connection) -> Totals:
    """The sums of all time."""
    sums = [func.coalesce(func.sum(_pulse.c[name]), 0).label(name) for name in PULSE_COLUMNS]
    return _totals(dict(connection.execute(select(*sums)).mappings().one()))


def _totals(sums: Mapping[str, int]) -> Totals:
    return Totals(
        total_events=sums["events"],
        total_questions=sums["questions"],
        total_searches=sums["searches"],
        total_zero_hits=sums["zero_hits"],
        total_low_scores=sums["low_scores"],
        total_sessions=sums["sessions"],
        total_input_tokens=sums["input_tokens"],
        total_output_tokens=sums["output_tokens"],
        total_tokens=sums["input_tokens"] + sums["output_tokens"],
        total_cost_usd=_usd(sums["cost_nano_usd"]),
        total_errors=sums["errors"],
        total_thumbs_up=sums["thumbs_up"],
        total_thumbs_down=sums["thumbs_down"],
        total_fallbacks=sums["fallbacks"],
        total_cache_hits=sums["cache_hits"],
    )


def _usd(nano_usd: int) -> float:
    return nano_usd / 10**9


def _bucket_start(bucket: int) -> str:
    return rfc3339(bucket * BUCKET_US)


def _is_chat(words: FacetWords) -> bool:
    return words.kind == "chat"


def _is_embedding(words: FacetWords) -> bool:
    return words.kind == "embedding"


def _is_search(words: FacetWords) -> bool:
    return words.kind == "search"


def _failed(words: FacetWords) -> bool:
    return words.error_type is not None or words.kind == "error"


class _Facets:
    """The sums and histograms of a window by facet, read once, merged as they are asked for."""

    def __init__(self, connection: Connection, dictionary: Dictionary, asked: Window) -> None:
        self._sums: dict[int, Counter[str]] = {}
        self._blobs: dict[str, dict[int, bytes]] = {name: {} for name in _MEASURES}
        for facet, durations, first_tokens, *sums in connection.execute(_rows(asked)):
            self._blobs["durations"][facet] = bytes.fromhex(durations)
            self._blobs["first_tokens"][facet] = bytes.fromhex(first_tokens)
            self._sums[facet] = Counter(dict(zip(SUM_COLUMNS, sums, strict=True)))
        self._words = {facet: dictionary.facets[facet] for facet in self._sums}

    def events_by(
        self,
        name: str,
        fits: Callable[[FacetWords], bool],
        facets: Iterable[int] | None = None,
    ) -> dict[str, int]:
        """How many events there are of each word, most first."""
        found: Counter[str] = Counter()
        for facet in self._words if facets is None else facets:
            words = self._words[facet]
            if fits(words):
                found[getattr(words, name) or "unknown"] += self._sums[facet]["events"]
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def percentiles(
        self,
        measure: str,
        fits: Callable[[FacetWords], bool],
        facets: Iterable[int] | None = None,
    ) -> Percentiles:
        """Percentiles of `durations` or `first_tokens`."""
        blobs = self._blobs[measure]
        fitting = (f for f in (self._words if facets is None else facets) if fits(self._words[f]))
        found = percentiles_us((blobs[facet] for facet in fitting), _QUANTILES)
        seconds = [v and round(v / 10**6, 6) for v in found]
        return Percentiles(p50=seconds[0], p95=seconds[1], p99=seconds[2])

    def by_model(
        self, group: Callable[[FacetWords], tuple[str | None, str | None]]
    ) -> list[ModelStatistics]:
        """Calls by provider, or by provider and model; those with most questions first."""
        groups: dict[tuple[str | None, str | None], list[int]] = defaultdict(list)
        for facet, words in self._words.items():
            if _is_chat(words) or _is_embedding(words):
                groups[group(words)].append(facet)
        found = [self._of_model(*names, facets) for names, facets in groups.items()]
        return sorted(found, key=lambda m: (-m.questions, m.provider or "", m.model or ""))

    def _of_model(
        self, provider: str | None, model: str | None, facets: list[int]
    ) -> ModelStatistics:
        sums: Counter[str] = Counter()
        for facet in facets:
            sums.update(self._sums[facet])
        errors = self.events_by("error_type", _failed, facets)
        return ModelStatistics(
            provider=provider,
            model=model,
            questions=self._events(facets, _is_chat),
            embeddings=self._events(facets, _is_embedding),
            errors=sum(errors.values()),
            error_types=errors,
            end_reasons=self.events_by("end_reason", _is_chat, facets),
            input_tokens=sums["input_tokens"],
            output_tokens=sums["output_tokens"],
            cost_usd=_usd(sums["cost_nano_usd"]),
            fallbacks=sums["fallbacks"],
            cache_hits=sums["cache_hits"],
            duration_seconds=self.percentiles("durations", _is_chat, facets),
            first_token_seconds=self.percentiles("first_tokens", _is_chat, facets),
        )

    def _events(self, facets: list[int], fits: Callable[[FacetWords], bool]) -> int:
        return sum(self._sums[f]["events"] for f in facets if fits(self._words[f]))


def _rows(asked: Window) -> Any:
    """(facet, its two histograms as hexadecimal digits, its sums) of a window: whole days of UTC
    from the sums of days, its edges from quarters. Each part is a span of its own, so that it is
    found by the primary key. SQLite puts the rows together, since each one that Python fetches is
    another wait for its lock; encoded histograms that follow one another are one again."""
    first_day = -(-asked.first // BUCKETS_PER_DAY)
    end_day = max(asked.end // BUCKETS_PER_DAY, first_day)
    days_begin, days_end = first_day * BUCKETS_PER_DAY, end_day * BUCKETS_PER_DAY
    columns = ("facet", *_MEASURES, *SUM_COLUMNS)
    parts = union_all(
        select(*(_day.c[n] for n in columns)).where(_day.c.day >= first_day, _day.c.day < end_day),
        *(
            select(*(_quarter.c[n] for n in columns)).where(
                _quarter.c.bucket >= first, _quarter.c.bucket < end
            )
            for first, end in (
                (asked.first, min(days_begin, asked.end)),
                (max(days_end, asked.first), asked.end),
            )
            if first < end
        ),
    ).subquery()
    return select(
        parts.c.facet,
        *(func.group_concat(func.hex(parts.c[name]), "") for name in _MEASURES),
        *(func.sum(parts.c[name]) for name in SUM_COLUMNS),
    ).group_by(parts.c.facet)


def _period(label: str, start: int, sums: Mapping[str, int]) -> Period:
    shown = {name: value for name, value in sums.items() if name in Period.model_fields}
    cost_usd = _usd(sums["cost_nano_usd"])
    return Period(label=label, start=_bucket_start(start), cost_usd=cost_usd, **shown)
