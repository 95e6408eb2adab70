"""Wire types of `/api/evaluate`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.kb.catalogue import DEFAULT_COLLECTION
from services.kb.schemas import CollectionName, QueryText

MAX_QUESTIONS = 5_000


class GoldenQuery(BaseModel):
    """`relevant`: the documents that answer it, by source (with or without anchor) or by id."""

    model_config = ConfigDict(extra="forbid")

    query: QueryText
    relevant: Annotated[list[str], Field(min_length=1, max_length=100)]


class EvaluationBody(BaseModel):
    """Golden queries, or SQuAD-shaped JSON whose paragraphs are documents of the collection.

    `no_answer`: each question is asked once more with its documents left out."""

    model_config = ConfigDict(extra="forbid")

    collection: CollectionName = DEFAULT_COLLECTION
    mode: Literal["hybrid", "dense", "lexical"] = "hybrid"
    queries: Annotated[list[GoldenQuery], Field(min_length=1, max_length=MAX_QUESTIONS)] | None = (
        None
    )
    squad: dict[str, Any] | None = None
    no_answer: bool = False

    @model_validator(mode="after")
    def _one_kind(self) -> EvaluationBody:
        if (self.queries is None) == (self.squad is None):
            raise ValueError("give one of queries and squad")
        return self


class CurvePointView(BaseModel):
    """With `min_score` at `threshold`: `kept` of the questions that have an answer get one, and
    `strangers` of those that have none do."""

    kept: float
    threshold: float
    strangers: float


class PairView(BaseModel):
    """Means over the questions of one pair of languages; both empty: over all."""

    query_lang: str
    document_lang: str
    questions: int
    recall_at_1: float
    recall_at_3: float
    recall_at_10: float
    mrr_at_10: float
    ndcg_at_10: float
    no_answer: list[CurvePointView]


class EvaluationRun(BaseModel):
    """What one run found; `overall` is over all questions, `pairs` by pair of languages."""

    id: str
    created_at: str
    collection: str
    mode: str
    embedding_model: str | None
    overall: PairView
    pairs: list[PairView]


class EvaluationResponse(EvaluationRun):
    """`previous`: the last run of the same questions in the same mode, if there was one."""

    success: bool = True
    previous: EvaluationRun | None


class EvaluationsQuery(BaseModel):
    limit: int = Field(50, ge=1, le=200)


class PastRun(EvaluationRun):
    """`question_set`: equal for runs of the same questions in one mode, which compare."""

    question_set: str


class EvaluationList(BaseModel):
    """Newest first."""

    items: list[PastRun]
    next_cursor: None = None
