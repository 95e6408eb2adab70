"""Wire types of OpenAI's embeddings API: https://platform.openai.com/docs/api-reference/embeddings"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

MAX_TEXTS_PER_CALL = 256

Text = Annotated[str, Field(min_length=1)]


class EmbeddingRequest(BaseModel):
    """`input_type` adds the model's prefix: a query is searched for, a passage is stored."""

    input: Text | Annotated[list[Text], Field(min_length=1, max_length=MAX_TEXTS_PER_CALL)]
    model: str | None = None
    input_type: Literal["query", "passage"] = "query"
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None


class Embedding(BaseModel):
    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str = Field(description="Floats, or little-endian float32 in base64.")


class Usage(BaseModel):
    prompt_tokens: int
    total_tokens: int


class EmbeddingResponse(BaseModel):
    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    model_key: str = Field(description="As in /v1/models: vectors of equal keys may be compared.")
    usage: Usage


class ModelEntry(BaseModel):
    """`revision` is the sha256 of the weights, or of a remote model's address and name; `key` sums
    up all that vectors depend on."""

    id: str
    key: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "trivet"
    revision: str
    dimensions: int
    max_tokens: int
    query_prefix: str
    passage_prefix: str
    variant: str = Field(description="How vectors are computed; empty: sentence-transformers.")


class ModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[ModelEntry]


class TokensRequest(BaseModel):
    """Texts whose tokens are to be counted, without prefix and marks of beginning and end."""

    input: Annotated[list[str], Field(min_length=1, max_length=MAX_TEXTS_PER_CALL)]


class TokensResponse(BaseModel):
    """`tokens`: one number a text, in order; `max_tokens`: what the model reads at once, of which
    a passage's prefix and the marks of beginning and end take `overhead_tokens`."""

    tokens: list[int]
    max_tokens: int
    overhead_tokens: int
    model_key: str
