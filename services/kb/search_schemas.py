"""Wire types of `/api/search`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from services.kb.catalogue import DEFAULT_COLLECTION
from services.kb.schemas import CollectionName, QueryText
from services.kb.search_filter import TIMES, Condition, Operator, Scalar, require_time

MAX_QUERIES = 50
MAX_NEIGHBOURS = 5
_MAX_CONDITIONS = 20

FieldName = Annotated[str, Field(pattern=r'^[^"\\\x00-\x1f]{1,100}$')]
Bound = str | int | float


class Clause(BaseModel):
    """What a field must be; all that is given must hold. A list in the metadata meets a condition
    when one of its elements does. Ranges of text compare by characters, as ISO dates want it."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    equals: Scalar | None = None
    any_of: Annotated[list[Scalar], Field(min_length=1, max_length=100)] | None = Field(
        None, alias="in"
    )
    not_in: Annotated[list[Scalar], Field(min_length=1, max_length=100)] | None = None
    gt: Bound | None = None
    gte: Bound | None = None
    lt: Bound | None = None
    lte: Bound | None = None
    exists: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> Clause:
        if not self.given():
            raise ValueError("give one of equals, in, not_in, gt, gte, lt, lte and exists")
        return self

    def given(self) -> dict[Operator, Any]:
        """The conditions that were given, by operator."""
        values: dict[Operator, Any] = {
            "equals": self.equals,
            "in": self.any_of,
            "not_in": self.not_in,
            "gt": self.gt,
            "gte": self.gte,
            "lt": self.lt,
            "lte": self.lte,
            "exists": self.exists,
        }
        return {name: value for name, value in values.items() if value is not None}


def _as_object(value: Any) -> Any:
    """A filter in a query string is a JSON object."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as exc:
        raise ValueError("must be a JSON object") from exc


Filter = Annotated[
    dict[FieldName, Scalar | Clause],
    BeforeValidator(_as_object),
    Field(
        default_factory=dict,
        max_length=_MAX_CONDITIONS,
        description="By metadata field: a value that it must equal, or an object with equals, in, "
        "not_in, gt, gte, lt, lte, exists. Also created_at and updated_at (times), source, title, "
        "media_type.",
    ),
]


class SearchOptions(BaseModel):
    """How to search. `neighbours`: how many passages before and after each come with it."""

    top_k: int = Field(3, ge=1, le=100)
    collection: CollectionName = DEFAULT_COLLECTION
    mode: Literal["hybrid", "dense", "lexical"] = "hybrid"
    min_score: float = Field(0.0, ge=0.0, le=1.0)
    lang: str = Field("", max_length=20)
    filter: Filter
    neighbours: int = Field(0, ge=0, le=MAX_NEIGHBOURS)

    @model_validator(mode="after")
    def _times(self) -> SearchOptions:
        for condition in conditions_of(self.filter):
            if condition.name in TIMES and condition.operator != "exists":
                given = condition.value
                for value in given if isinstance(given, list) else [given]:
                    require_time(str(value))
        return self


class SearchQuery(SearchOptions):
    q: QueryText


class SearchBody(SearchOptions):
    """One query in `q` (or `query`), or several in `queries`."""

    q: QueryText | None = None
    query: QueryText | None = None
    queries: Annotated[list[QueryText], Field(min_length=1, max_length=MAX_QUERIES)] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> SearchBody:
        if sum(value is not None for value in (self.q, self.query, self.queries)) != 1:
            raise ValueError("give one of q and queries")
        return self


class Neighbour(BaseModel):
    """A passage of the same document; `position` counts its passages from 0."""

    id: str
    position: int
    content: str


class SearchResult(BaseModel):
    """A passage. `source` is the ingested path or URL with the anchor of its heading."""

    id: str
    type: str
    title: str
    content: str
    snippet: str
    highlights: list[tuple[int, int]] = Field(
        description="Where the snippet holds words of the query: [start, end) in characters."
    )
    url: str | None
    source: str
    relevance_score: float = Field(description="0 to 1; about 0.5: as likely as not an answer.")
    score_dense: float | None = Field(description="Cosine of query and passage.")
    score_lexical: float | None = Field(description="bm25, higher is better.")
    metadata: dict[str, Any]
    neighbours: list[Neighbour] = Field(description="In the order of the document.")


class SearchResponse(BaseModel):
    """`degraded` says why only words were searched: `embedder` or `vector_index` was away, the
    model is another than the index's (`model_changed`) or does not know the query's language
    (`model_language`). `embedding_ms` is a part of `took_ms`."""

    success: bool = True
    query: str
    results: list[SearchResult]
    total_found: int
    took_ms: float
    embedding_ms: float
    mode: str
    degraded: list[str]


class SearchesResponse(BaseModel):
    """The answers to a list of queries, in its order."""

    success: bool = True
    searches: list[SearchResponse]
    took_ms: float


def conditions_of(given: Mapping[str, Scalar | Clause]) -> list[Condition]:
    """A filter as conditions that must all hold."""
    found: list[Condition] = []
    for name, value in given.items():
        if isinstance(value, Clause):
            found += [Condition(name, operator, item) for operator, item in value.given().items()]
        else:
            found.append(Condition(name, "equals", value))
    return found
