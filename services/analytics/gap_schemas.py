"""The wire types of votes and gaps: what people did not like, and what they did not find."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, Field

from services.analytics.intake import MAX_TEXT_CHARACTERS
from services.analytics.schemas import MAX_DAYS, ZoneName


class FeedbackBody(BaseModel):
    request_id: str = Field(min_length=1, max_length=128, description="Of the answer.")
    rating: Literal["up", "down"]
    comment: str | None = Field(None, max_length=MAX_TEXT_CHARACTERS)


class FeedbackAnswer(BaseModel):
    id: str
    status: Literal["recorded"] = "recorded"


GapState: TypeAlias = Literal["open", "answering", "answered", "failed"]


class GapsQuery(BaseModel):
    state: GapState | None = Field("open", description="Empty: of any state.")
    limit: int = Field(50, ge=1, le=500)
    cursor: str | None = Field(None, pattern=r"^\d{1,9}$")


class GapQuestionView(BaseModel):
    """Redacted."""

    text: str
    asked: int
    zero_hits: int
    low_scores: int
    thumbs_down: int
    refused: int
    last_asked: str


class ReplaySide(BaseModel):
    found: int
    top_score: float | None
    rank: int | None = Field(description="The place of the answer's document, from 1.")


class Replay(BaseModel):
    """A question of the gap, asked before its answer was there and after."""

    question: str
    before: ReplaySide
    after: ReplaySide


class GapView(BaseModel):
    """Questions that mean the same and were not answered."""

    id: int
    state: GapState
    kind: Literal["missing", "weak", "unhelpful"] = Field(
        description="Nothing is there; only weak passages; what is there was voted down."
    )
    question: str = Field(description="The one asked most.")
    collection: str | None
    asked: int
    zero_hits: int
    low_scores: int
    thumbs_down: int
    refused: int
    last_asked: str
    pressure: float = Field(description="How often asked, halved for each two weeks since.")
    questions: list[GapQuestionView]
    answered_at: str | None
    source: str | None = Field(description="The answer's document in kb.")
    replay: list[Replay]


class GapPage(BaseModel):
    items: list[GapView]
    next_cursor: str | None
    total: int = Field(description="Gaps of the state, on all pages together.")
    unclustered: int = Field(description="Questions that wait for the embedder.")


Reason: TypeAlias = Literal["zero_hit", "low_score", "refused", "thumbs_down"]


class UnansweredQuery(BaseModel):
    days: int = Field(30, ge=1, le=MAX_DAYS, description="Days of the calendar, today included.")
    tz: ZoneName = Field("UTC", description="The reader's time zone (IANA).")
    reason: Reason = "zero_hit"
    limit: int = Field(20, ge=1, le=500)


class UnansweredQuestion(BaseModel):
    """Redacted."""

    text: str
    count: int = Field(description="How often for the reason, since it was first asked.")
    collection: str | None
    last_asked: str
    gap_id: int | None = Field(description="Null while it waits for the embedder.")
    gap_state: GapState | None


class UnansweredAnswer(BaseModel):
    """Questions that were last asked in the range."""

    days: int
    tz: str
    reason: Reason
    questions: list[UnansweredQuestion]


class GapAnswerBody(BaseModel):
    content: str = Field(min_length=1, max_length=100_000, description="Markdown.")
    title: str | None = Field(None, min_length=1, max_length=200)
    collection: str | None = Field(None, pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    lang: str | None = Field(None, max_length=20)
