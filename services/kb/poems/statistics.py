"""What there is of poems, counted in the database: nothing is kept, so a deletion shows at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Select, Table, case, func, literal, select, union_all

from services.kb.poems.statistics_schemas import PoemStatistics, StatisticsQuery
from services.kb.poems.tables import BRIEFINGS, POEMS, TRANSLATIONS

_RECENT = 20
_DAY_CHARACTERS = len("2026-01-31")


def statistics(connection: Connection, query: StatisticsQuery) -> PoemStatistics:
    """All counts of one snapshot; each of what was made in the query's days."""
    count = _Counting(connection, query)
    return PoemStatistics(
        poets=count.number(func.count(POEMS.c.author.distinct()), POEMS),
        poems=count.number(func.count(), POEMS),
        selected_poems=count.number(func.count().filter(POEMS.c.is_selected), POEMS),
        translations=count.number(func.count(), TRANSLATIONS),
        briefings=count.number(func.count(), BRIEFINGS),
        translators=count.rows(_translators()),
        ratings=count.rows(_ratings()),
        usage=[*count.rows(_usage(TRANSLATIONS)), *count.rows(_usage(BRIEFINGS))],
        source_languages=count.rows(_source_languages()),
        target_languages=count.rows(_target_languages()),
        days=count.days(),
        recent=count.recent(),
    )


class _Counting:
    """Queries on one snapshot, over the days of a query."""

    def __init__(self, connection: Connection, query: StatisticsQuery) -> None:
        self._connection = connection
        self._first = query.date_from.isoformat() if query.date_from else ""
        end = query.date_to + timedelta(days=1) if query.date_to else None
        self._end = end.isoformat() if end else ""

    def within(self, statement: Select[Any], table: Table) -> Select[Any]:
        """Times are text that sorts, and a day comes before all times of it."""
        if self._first:
            statement = statement.where(table.c.created_at >= self._first)
        if self._end:
            statement = statement.where(table.c.created_at < self._end)
        return statement

    def number(self, what: Any, table: Table) -> int:
        statement = self.within(select(what).select_from(table), table)
        return int(self._connection.execute(statement).scalar_one())

    def rows(self, counted: tuple[Table, Select[Any]]) -> list[Any]:
        table, statement = counted
        found = self._connection.execute(self.within(statement, table))
        return [dict(row._mapping) for row in found]

    def days(self) -> list[Any]:
        """What was made on each day on which something was."""
        t = TRANSLATIONS.c
        kinds = [
            (POEMS, literal("poems")),
            (TRANSLATIONS, t.translator_type + literal("_translations")),
            (BRIEFINGS, literal("briefings")),
        ]
        days: dict[str, dict[str, Any]] = {}
        for table, kind in kinds:
            day = func.substr(table.c.created_at, 1, _DAY_CHARACTERS).label("day")
            grouped = select(day, kind.label("kind"), func.count()).group_by(day, "kind")
            for name, column, number in self._connection.execute(self.within(grouped, table)):
                days.setdefault(name, {"day": name})[column] = number
        return [days[name] for name in sorted(days)]

    def recent(self) -> list[Any]:
        """The newest of all, whatever the query's days."""
        p, t, b = POEMS.c, TRANSLATIONS.c, BRIEFINGS.c
        poems = select(
            literal("poem").label("kind"), p.created_at.label("time"), p.id, p.id.label("poem_id"),
            p.source_lang.label("lang"), literal("").label("by"),
        )  # fmt: skip
        translations = select(
            literal("translation"), t.created_at, t.id, t.poem_id, t.target_lang, t.translator_type
        )
        briefings = select(
            literal("briefing"), b.created_at, b.id, b.poem_id, literal(""), literal("")
        )
        newest = [
            select(part.order_by(part.selected_columns[2].desc()).limit(_RECENT).subquery())
            for part in (poems, translations, briefings)
        ]
        every = union_all(*newest).subquery()
        statement = (
            select(every, p.title, p.author)
            .join(POEMS, p.id == every.c.poem_id)
            .order_by(every.c.time.desc(), every.c.id.desc())
            .limit(_RECENT)
        )
        return [dict(row._mapping) for row in self._connection.execute(statement)]


def _sums(table: Table) -> list[Any]:
    """Unknown tokens and costs count as none; a cost of which nothing is known stays unknown."""
    c = table.c
    return [
        func.coalesce(func.sum(c.input_tokens), 0).label("input_tokens"),
        func.coalesce(func.sum(c.output_tokens), 0).label("output_tokens"),
        func.sum(c.cost_usd).label("cost_usd"),
        func.coalesce(func.sum(c.seconds), 0.0).label("seconds"),
    ]


def _translators() -> tuple[Table, Select[Any]]:
    t = TRANSLATIONS.c
    rated = func.count(t.quality_rating).label("rated")
    average = func.avg(t.quality_rating).label("average_rating")
    columns = (t.translator_type, func.count().label("translations"), rated, average)
    statement = select(*columns, *_sums(TRANSLATIONS)).group_by(t.translator_type)
    return TRANSLATIONS, statement.order_by(t.translator_type)


def _ratings() -> tuple[Table, Select[Any]]:
    t = TRANSLATIONS.c
    columns = (t.quality_rating, t.translator_type)
    statement = select(*columns, func.count().label("translations"))
    rated = statement.where(t.quality_rating.is_not(None))
    return TRANSLATIONS, rated.group_by(*columns).order_by(*columns)


def _usage(table: Table) -> tuple[Table, Select[Any]]:
    """What each way of working took; what a person made without a workflow is none."""
    c = table.c
    columns = (c.workflow, c.mode)
    statement = select(
        literal(table.name[:-1]).label("result"), *columns, func.count().label("results"),
        *_sums(table),
    )  # fmt: skip
    made = statement.where((c.workflow != "") | (c.model != ""))
    return table, made.group_by(*columns).order_by(*columns)


def _source_languages() -> tuple[Table, Select[Any]]:
    p = POEMS.c
    poems = func.count().label("poems")
    statement = select(p.source_lang.label("lang"), poems).group_by(p.source_lang)
    return POEMS, statement.order_by(poems.desc(), p.source_lang)


def _target_languages() -> tuple[Table, Select[Any]]:
    t = TRANSLATIONS.c
    ai = func.sum(case((t.translator_type == "ai", 1), else_=0)).label("ai_translations")
    human = func.sum(case((t.translator_type == "human", 1), else_=0)).label("human_translations")
    statement = select(t.target_lang.label("lang"), ai, human).group_by(t.target_lang)
    return TRANSLATIONS, statement.order_by(func.count().desc(), t.target_lang)
