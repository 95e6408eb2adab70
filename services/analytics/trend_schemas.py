"""The wire types of conversations, the live view and what questions are about."""

from __future__ import annotations

from pydantic import BaseModel, Field

from services.analytics.schemas import MAX_PAGE, GroupBy, KindName


class LiveQuery(BaseModel):
    kind: KindName | None = Field(None, description="Only records of this kind.")


class SessionsQuery(BaseModel):
    limit: int = Field(100, ge=1, le=MAX_PAGE)
    cursor: str | None = Field(None, pattern=r"^\d{1,18}-\d{1,18}$")


class SessionView(BaseModel):
    """A conversation; its records are those of `queries?session=`."""

    session_id: str
    started: str
    last: str
    duration_seconds: float
    events: int
    questions: int


class SessionPage(BaseModel):
    items: list[SessionView]
    next_cursor: str | None


class IntentCount(BaseModel):
    intent: str
    count: int
    share: float


class IntentsAnswer(BaseModel):
    days: int
    tz: str
    total: int = Field(description="Questions whose text was kept.")
    intents: list[IntentCount]


class TrendPeriod(BaseModel):
    label: str
    start: str
    questions: int
    searches: int
    zero_hits: int
    intents: dict[str, int]


class TrendAnswer(BaseModel):
    days: int
    tz: str
    group_by: GroupBy
    series: list[TrendPeriod]
