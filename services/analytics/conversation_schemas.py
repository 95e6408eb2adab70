"""The wire types of conversations: a list to look through, and one of them whole."""

from __future__ import annotations

from pydantic import BaseModel, Field

from services.analytics.schemas import Instant, Word

MAX_CONVERSATIONS = 200
MAX_TURNS = 500


class ConversationsQuery(BaseModel):
    """Which conversations: those with a question that all of this is true of."""

    text: str | None = Field(
        None, min_length=1, max_length=200, description="Words of the question, as in `queries`."
    )
    assistant: Word | None = None
    visitor: Word | None = Field(None, description="A visitor's id; it is another one each day.")
    end_reason: Word | None = None
    date_from: Instant | None = Field(None, description="A time or a date (UTC), inclusive.")
    date_to: Instant | None = Field(
        None, description="A time, exclusive; or a date (UTC), that day included."
    )
    limit: int = Field(50, ge=1, le=MAX_CONVERSATIONS)
    cursor: str | None = Field(None, pattern=r"^\d{1,18}$|^[1-8]\d{18}$")


class ConversationItem(BaseModel):
    """One conversation. Sums, models and votes are those of its latest 500 questions."""

    id: str = Field(description="The session's id; a question without one has its request's.")
    started: str
    last: str
    questions: int
    question: str | None = Field(description="The first one; null where its text is not kept.")
    matching: str | None = Field(description="The newest one that fits what was looked for.")
    visitor_id: str | None
    assistants: list[str]
    models: list[str] = Field(description="`provider/model`.")
    end_reasons: dict[str, int]
    errors: int
    input_tokens: int
    output_tokens: int
    cost_usd: float
    thumbs_up: int
    thumbs_down: int


class ConversationPage(BaseModel):
    """Newest first. A page may be short, even empty, and still have a `next_cursor`: then there
    are older records to look through."""

    items: list[ConversationItem]
    next_cursor: str | None
    known_assistants: list[str]
    known_end_reasons: list[str]


class ConversationQuery(BaseModel):
    id: Word = Field(description="A conversation's id, or that of one of its requests.")


class TurnSearch(BaseModel):
    """A search that the assistant made for a question."""

    query: str | None
    collection: str | None
    mode: str | None
    total_found: int | None
    top_score: float | None


class Turn(BaseModel):
    """A question and what became of it."""

    request_id: str
    time: str
    question: str | None = Field(description="Redacted; null where it is not kept.")
    answer: str | None = Field(
        description="Redacted, its first 8,000 characters; null where it is not kept."
    )
    assistant: str | None
    provider: str | None
    model: str | None
    fallback_from: str | None
    attempts: int | None
    status: int | None
    error_type: str | None
    end_reason: str | None
    finish_reason: str | None
    stream: bool | None
    first_token_seconds: float | None
    duration_seconds: float | None
    input_tokens: int | None
    output_tokens: int | None
    usage_source: str | None
    cost_usd: float | None
    citations: list[str] | None = Field(
        description="Ids of passages; empty: nothing was found; null: none were looked for."
    )
    searches: list[TurnSearch]
    rating: str | None = Field(description="The last vote: `up` or `down`.")
    comment: str | None


class ConversationAnswer(BaseModel):
    """One conversation, oldest question first."""

    id: str
    started: str
    last: str
    visitor_id: str | None
    turns: list[Turn]
    earlier_turns: int = Field(description="How many older ones are left out.")
    stores_questions: bool = Field(description="Whether texts of questions are kept now.")
    stores_answers: bool = Field(description="Whether texts of answers are kept now.")
