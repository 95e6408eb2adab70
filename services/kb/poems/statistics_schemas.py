"""Wire types of the counts that kb gives its neighbours."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from services.kb.poems.schemas import TranslatorType

LAST_DAY = date(9998, 12, 31)


class StatisticsQuery(BaseModel):
    """Days in UTC, both included; without them all there is."""

    date_from: date | None = None
    date_to: date | None = Field(None, le=LAST_DAY)


class _Sums(BaseModel):
    """`cost_usd` is null where no cost is known."""

    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    seconds: float


class TranslatorCount(_Sums):
    """Translations by models, or by people. `average_rating` is null where none is rated."""

    translator_type: TranslatorType
    translations: int
    rated: int
    average_rating: float | None


class RatingCount(BaseModel):
    quality_rating: int
    translator_type: TranslatorType
    translations: int


class UsageCount(_Sums):
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


class DayCount(BaseModel):
    """What was made on a day (UTC)."""

    day: date
    poems: int = 0
    ai_translations: int = 0
    human_translations: int = 0
    briefings: int = 0


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


class PoemStatistics(BaseModel):
    """`days`: only those on which something was made; `recent`: the newest, of any day."""

    poets: int
    poems: int
    selected_poems: int
    translations: int
    briefings: int
    translators: list[TranslatorCount]
    ratings: list[RatingCount]
    usage: list[UsageCount]
    source_languages: list[SourceLanguageCount]
    target_languages: list[TargetLanguageCount]
    days: list[DayCount]
    recent: list[RecentItem]
