"""The wire types: what each route takes and gives."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, Field

from services.analytics.intake import microseconds

MAX_EVENTS_PER_REQUEST = 1_000
MAX_PAGE = 1_000
_DAY_US = 86_400_000_000
_CURSOR = r"^\d{1,18}$|^[1-8]\d{18}$"  # below 2^63
MAX_DAYS = 3_660
MAX_DAYS_BY_HOUR = 92

KindName: TypeAlias = Literal["chat", "search", "feedback", "workflow", "error", "embedding"]
GroupBy: TypeAlias = Literal["hour", "day", "week", "month"]


def _instant(text: str, *, end: bool) -> int:
    """A time (RFC 3339; without an offset: UTC) or a date, as microseconds since 1970."""
    if "T" in text:
        text = text.replace(" ", "+")  # a plus that nobody percent-encoded
    try:
        if len(text) == len("2026-01-31"):
            midnight = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            return microseconds(midnight) + (_DAY_US if end else 0)
        time = datetime.fromisoformat(text)
        return microseconds(time if time.tzinfo else time.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ValueError("not a date or a time such as 2026-01-31T12:00:00Z") from None


def _checked_from(text: str) -> str:
    _instant(text, end=False)
    return text


def _checked_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not a time zone such as Asia/Shanghai") from None
    return name


Instant: TypeAlias = Annotated[str, Field(max_length=40), AfterValidator(_checked_from)]
ZoneName: TypeAlias = Annotated[str, Field(max_length=64), AfterValidator(_checked_zone)]
Word: TypeAlias = Annotated[str, Field(min_length=1, max_length=128)]


class RecordFilter(BaseModel):
    """Which records; what is not given does not restrict."""

    kind: KindName | None = None
    service: Word | None = None
    provider: Word | None = None
    model: Word | None = None
    status: Literal["ok", "error"] | Annotated[int, Field(ge=100, le=599)] | None = Field(
        None, description="An HTTP status, or `ok` or `error` for all without or with an error."
    )
    error_type: Word | None = None
    end_reason: Word | None = None
    session: Word | None = None
    request_id: Word | None = None
    text: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description=(
            "Words of the question, search or comment, all of them: whole words, or beginnings "
            "with an asterisk after them; in Chinese, Japanese and Korean any run of characters."
        ),
    )
    date_from: Instant | None = Field(None, description="A time or a date (UTC), inclusive.")
    date_to: Instant | None = Field(
        None, description="A time, exclusive; or a date (UTC), that day included."
    )

    @property
    def from_us(self) -> int | None:
        return None if self.date_from is None else _instant(self.date_from, end=False)

    @property
    def to_us(self) -> int | None:
        return None if self.date_to is None else _instant(self.date_to, end=True)


class QueriesQuery(RecordFilter):
    limit: int = Field(100, ge=1, le=MAX_PAGE)
    cursor: str | None = Field(None, pattern=_CURSOR, description="`next_cursor` of a page.")


class ExportQuery(RecordFilter):
    format: Literal["csv", "jsonl"] = "csv"


class EventRecord(BaseModel):
    """One record; a field that does not apply to its kind is null."""

    id: str
    kind: KindName
    time: str
    service: str
    request_id: str
    session_id: str | None
    visitor_id: str | None
    provider: str | None
    model: str | None = Field(description="The model that answered, else the one asked for.")
    requested_model: str | None
    assistant: str | None
    status: int | None
    error_type: str | None
    end_reason: str | None
    finish_reason: str | None
    stream: bool | None
    input_tokens: int | None
    output_tokens: int | None
    usage_source: str | None
    cost_usd: float | None
    duration_seconds: float | None
    first_token_seconds: float | None
    fallback_from: str | None = Field(description="The provider or model that failed before.")
    attempts: int | None
    cache: str | None
    collection: str | None
    mode: str | None
    cause: str | None
    top_k: int | None
    total_found: int | None
    top_score: float | None
    rating: Literal["up", "down"] | None
    rated_request_id: str | None
    text: str | None = Field(description="The question, search or comment, redacted.")
    citations: list[str]
    attributes: dict[str, Any]


class RecordPage(BaseModel):
    items: list[EventRecord]
    next_cursor: str | None


class EventsBody(BaseModel):
    """Each event is checked by itself; see `services/analytics/events.py` for the kinds."""

    events: list[Any] = Field(
        max_length=MAX_EVENTS_PER_REQUEST,
        json_schema_extra={"items": {"type": "object"}},
    )


class RejectedEvent(BaseModel):
    index: int
    message: str


class EventsAnswer(BaseModel):
    accepted: int
    duplicates: int
    rejected: list[RejectedEvent]


class CleanupBody(BaseModel):
    older_than_days: int = Field(ge=1, le=36_500)
    dry_run: bool = False


class Counts(BaseModel):
    """Records by kind."""

    total: int
    chat: int
    search: int
    feedback: int
    workflow: int
    error: int
    embedding: int


class Totals(BaseModel):
    """What the sums hold, whether the records are still there or not."""

    total_events: int
    total_questions: int
    total_searches: int
    total_zero_hits: int
    total_low_scores: int = Field(description="Searches whose best passage was a weak one.")
    total_sessions: int = Field(description="Conversations that began in the period.")
    total_input_tokens: int
    total_output_tokens: int
    total_tokens: int
    total_cost_usd: float
    total_errors: int
    total_thumbs_up: int
    total_thumbs_down: int
    total_fallbacks: int = Field(description="Answers of another model than the first one tried.")
    total_cache_hits: int


class CleanupAnswer(BaseModel):
    dry_run: bool
    older_than_days: int
    cutoff: str
    would_delete: Counts
    deleted: Counts
    totals_kept: Totals = Field(description="All of the time so far; a cleanup does not touch it.")
    also_deleted: list[str] = Field(description="Reads that no longer know what was deleted.")
    freed_bytes: int
    size_bytes: int


class HealthAnswer(BaseModel):
    status: Literal["ok", "degraded"]
    rows: int
    size_bytes: int
    waiting_events: int
    writer_lag_seconds: float


class StatisticsQuery(BaseModel):
    days: int = Field(30, ge=1, le=MAX_DAYS, description="Days of the calendar, today included.")
    tz: ZoneName = Field("UTC", description="The reader's time zone (IANA).")
    group_by: GroupBy = "day"


class Percentiles(BaseModel):
    """In seconds, within 3 % of the exact nearest-rank values; null when there is no value."""

    p50: float | None
    p95: float | None
    p99: float | None


class Period(BaseModel):
    label: str = Field(description="2026-01-31T13:00+05:30, 2026-01-31, 2026-W05 or 2026-01.")
    start: str
    questions: int = 0
    searches: int = 0
    zero_hits: int = 0
    low_scores: int = 0
    sessions: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    errors: int = 0
    thumbs_up: int = 0
    thumbs_down: int = 0
    fallbacks: int = 0
    cache_hits: int = 0


class ModelStatistics(BaseModel):
    provider: str | None
    model: str | None = None
    questions: int
    embeddings: int = Field(description="Calls for embeddings; their tokens and cost count here.")
    errors: int
    input_tokens: int
    output_tokens: int
    cost_usd: float
    fallbacks: int
    cache_hits: int
    error_types: dict[str, int]
    end_reasons: dict[str, int]
    duration_seconds: Percentiles
    first_token_seconds: Percentiles


class TopQuery(BaseModel):
    text: str
    count: int = Field(description="How often people asked or searched for it.")
    questions: int
    searches: int = Field(description="Those of people, not those that an assistant made.")
    zero_hits: int
    last_asked: str


class StatisticsAnswer(Totals):
    days: int
    tz: str
    group_by: GroupBy
    start: str
    end: str
    errors: dict[str, int] = Field(description="By the contract's error type.")
    end_reasons: dict[str, int]
    duration_seconds: Percentiles
    first_token_seconds: Percentiles
    search_duration_seconds: Percentiles
    by_provider: list[ModelStatistics]
    by_model: list[ModelStatistics]
    top_queries: list[TopQuery]
    top_queries_missed_at_most: int = Field(
        description="No count of `top_queries` is too high, and none is too low by more than this."
    )
    series: list[Period]
