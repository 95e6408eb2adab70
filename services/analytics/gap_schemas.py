"""The wire types of votes and gaps: what people did not like, and what they did not find."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, Field

from services.analytics.intake import MAX_TEXT_CHARACTERS


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
    unclustered: int = Field(description="Questions that wait for the embedder.")


class GapAnswerBody(BaseModel):
    content: str = Field(min_length=1, max_length=100_000, description="Markdown.")
    title: str | None = Field(None, min_length=1, max_length=200)
    collection: str | None = Field(None, pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    lang: str | None = Field(None, max_length=20)
