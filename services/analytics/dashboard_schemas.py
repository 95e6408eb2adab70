"""Wire types of the statistics about poems: what kb counts, and what is shown of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal, TypeAlias

from pydantic import BaseModel, Field, model_validator

from services.analytics.schemas import MAX_DAYS

DEFAULT_DAYS = 30
DateGroup: TypeAlias = Literal["day", "week", "month"]
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(9998, 12, 31)


class PoemsQuery(BaseModel):
    """Days in UTC, both included; without them the last thirty."""

    date_from: date | None = Field(default=None, ge=_FIRST_DAY, le=_LAST_DAY)
    date_to: date | None = Field(default=None, ge=_FIRST_DAY, le=_LAST_DAY)
    group_by: DateGroup = "day"

    @model_validator(mode="after")
    def _in_order(self) -> PoemsQuery:
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise ValueError("date_from is after date_to")
        return self

    def days(self, today: date) -> list[date]:
        """The days that are asked for. Raises ValueError when they are too many."""
        last = self.date_to or max(today, self.date_from or today)
        first = self.date_from or last - timedelta(days=DEFAULT_DAYS - 1)
        count = (last - first).days + 1
        if count > MAX_DAYS:
            raise ValueError(f"at most {MAX_DAYS} days")
        return [first + timedelta(days=number) for number in range(count)]


class Work(BaseModel):
    """What making something took; `cost_usd` is null where no cost is known."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    seconds: float = 0.0


class TranslatorCount(Work):
    """Translations by models, or by people; `average_rating` (0 to 10) is null when none is
    rated."""

    translations: int = 0
    rated: int = 0
    average_rating: float | None = None


class NamedTranslatorCount(TranslatorCount):
    translator_type: Literal["ai", "human"]


class RatingCount(BaseModel):
    quality_rating: int
    translator_type: Literal["ai", "human"]
    translations: int


class WorkflowCount(Work):
    """What the results of a workflow's mode took that are still there."""

    result: Literal["translation", "briefing"]
    workflow: str
    mode: str
    results: int


class SourceLanguageCount(BaseModel):
    lang: str
    poems: int


class TargetLanguageCount(BaseModel):
    lang: str
    ai_translations: int
    human_translations: int


class Made(BaseModel):
    """How much was made."""

    poems: int = 0
    ai_translations: int = 0
    human_translations: int = 0
    briefings: int = 0


class DayCount(Made):
    day: date


class RecentItem(BaseModel):
    """Something that was made; `lang` and `by` (ai or human) are empty where they say nothing."""

    kind: Literal["poem", "translation", "briefing"]
    time: str
    id: str
    poem_id: str
    title: str
    author: str
    lang: str
    by: str


class KbCounts(BaseModel):
    """What kb answers."""

    poets: int
    poems: int
    selected_poems: int
    translations: int
    briefings: int
    translators: list[NamedTranslatorCount]
    ratings: list[RatingCount]
    usage: list[WorkflowCount]
    source_languages: list[SourceLanguageCount]
    target_languages: list[TargetLanguageCount]
    days: list[DayCount]
    recent: list[RecentItem]


class Comparison(BaseModel):
    ai: TranslatorCount
    human: TranslatorCount


class Overview(BaseModel):
    """Counts of what kb holds at this moment."""

    total_poets: int
    total_poems: int
    selected_poems: int
    total_translations: int
    ai_translations: int
    human_translations: int
    total_briefings: int
    comparison: Comparison
    ratings: list[RatingCount]
    by_workflow: list[WorkflowCount]
    source_languages: list[SourceLanguageCount]
    target_languages: list[TargetLanguageCount]


class DashboardAnswer(Overview):
    """All there is, and what came last."""

    recent_activity: list[RecentItem]


class MadePeriod(Made):
    """`label`: 2026-01-31, 2026-W05 or 2026-01; `start`: its first day that was asked for."""

    label: str
    start: date
    translations: int = 0


class PoemAnalyticsAnswer(Overview):
    """What was made in the days asked for, and is still there."""

    date_from: date
    date_to: date
    group_by: DateGroup
    productivity: list[MadePeriod]
