"""Wire types of poems, their translations and briefings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from services.kb.poems.markup import without_tags

MAX_TEXT_CHARACTERS = 50_000
# A translation out of Chinese has more characters than the poem.
MAX_TRANSLATION_CHARACTERS = 200_000
MAX_NOTES_CHARACTERS = 20_000
MAX_BRIEFING_BYTES = 500_000
MAX_SKIP = 10**9
# Beyond what one result can take, and so small that sums stay numbers.
_MAX_TOKENS = 10**12
_MAX_AMOUNT = 1e9
_LANG = r"^[a-z]{2}(-[A-Z]{2})?$"

Scalar = Annotated[str, Field(max_length=2_000)] | int | float | bool | None
TranslatorType = Literal["ai", "human"]


def _something(text: str) -> str:
    if not text:
        raise ValueError("nothing is left of it without its tags")
    return text


def _visible(text: str) -> str:
    if not text.strip():
        raise ValueError("must have a visible character")
    return text


_Name = (AfterValidator(without_tags), AfterValidator(_visible))
Title = Annotated[str, Field(min_length=1, max_length=500), *_Name]
Author = Annotated[str, Field(min_length=1, max_length=200), *_Name]
PoemText = Annotated[
    str,
    Field(min_length=1, max_length=MAX_TEXT_CHARACTERS),
    AfterValidator(without_tags),
    AfterValidator(_something),
]
TranslationText = Annotated[
    str,
    Field(min_length=1, max_length=MAX_TRANSLATION_CHARACTERS),
    AfterValidator(without_tags),
    AfterValidator(_something),
]
MaybeTitle = Annotated[str, Field(max_length=500), AfterValidator(without_tags)]
MaybeName = Annotated[str, Field(max_length=200), AfterValidator(without_tags)]
Notes = Annotated[str, Field(max_length=MAX_NOTES_CHARACTERS), AfterValidator(without_tags)]
Language = Annotated[str, Field(pattern=_LANG, description="A tag such as `zh` or `en-GB`.")]
Rating = Annotated[int, Field(ge=0, le=10)]
Metadata = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=100)], Scalar], Field(max_length=50)
]
Word = Annotated[str, Field(max_length=100)]


class PoemsQuery(BaseModel):
    """`search`: a part of title, author or text."""

    skip: int = Field(0, ge=0, le=MAX_SKIP)
    limit: int = Field(50, ge=1, le=100)
    search: str | None = Field(None, max_length=500)
    author: str | None = Field(None, max_length=200)
    source_lang: Language | None = None
    is_selected: bool | None = None


class NewPoem(BaseModel):
    """A poem. HTML tags in its texts are removed, all else is kept byte for byte."""

    model_config = ConfigDict(extra="forbid")

    title: Title
    author: Author
    source_lang: Language
    original_text: PoemText
    is_selected: bool = False
    metadata: Metadata = Field(default_factory=dict)


class PoemPatch(BaseModel):
    """What is to be changed; what is not given stays."""

    model_config = ConfigDict(extra="forbid")

    title: Title | None = None
    author: Author | None = None
    source_lang: Language | None = None
    original_text: PoemText | None = None
    is_selected: bool | None = None
    metadata: Metadata | None = None


class PoemView(BaseModel):
    """`briefing_id`: its newest briefing."""

    id: str
    title: str
    author: str
    source_lang: str
    original_text: str
    is_selected: bool
    metadata: dict[str, Any]
    translation_count: int
    briefing_id: str | None
    created_at: str
    updated_at: str


class Making(BaseModel):
    """How a result came to be. The same `task_id` again gives back what was stored first."""

    model_config = ConfigDict(extra="forbid")

    task_id: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    workflow: Word = ""
    mode: Word = ""
    model: Annotated[str, Field(max_length=200)] = ""
    input_tokens: int | None = Field(None, ge=0, le=_MAX_TOKENS)
    output_tokens: int | None = Field(None, ge=0, le=_MAX_TOKENS)
    cost_usd: float | None = Field(None, ge=0, le=_MAX_AMOUNT)
    seconds: float | None = Field(None, ge=0, le=_MAX_AMOUNT)


class TranslationsQuery(BaseModel):
    skip: int = Field(0, ge=0, le=MAX_SKIP)
    limit: int = Field(100, ge=1, le=100)
    target_lang: Language | None = None


class NewTranslation(Making):
    """A translation by a person or, with its `model`, by a model."""

    target_lang: Language
    translated_text: TranslationText
    translated_title: MaybeTitle = ""
    translated_author: MaybeName = ""
    translator_type: TranslatorType = "human"
    translator: MaybeName = Field("", description="The person's name.")
    notes: Notes = ""
    quality_rating: Rating | None = None

    @model_validator(mode="after")
    def _model_is_named(self) -> NewTranslation:
        if self.translator_type == "ai" and not self.model:
            raise ValueError("a translation by a model names its model")
        return self


class TranslationPatch(BaseModel):
    """What is to be changed; a `quality_rating` of null takes the rating back."""

    model_config = ConfigDict(extra="forbid")

    quality_rating: Rating | None = None
    notes: Notes | None = None
    translated_text: TranslationText | None = None
    translated_title: MaybeTitle | None = None
    translated_author: MaybeName | None = None
    translator: MaybeName | None = None


class _MakingView(BaseModel):
    id: str
    poem_id: str
    task_id: str | None
    workflow: str
    mode: str
    model: str
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    seconds: float | None
    created_at: str


class TranslationView(_MakingView):
    """A translation; `quality_rating` is 0 to 10, null while nobody has rated it."""

    target_lang: str
    translated_title: str
    translated_author: str
    translated_text: str
    translator_type: TranslatorType
    translator: str
    notes: str
    quality_rating: int | None
    updated_at: str


class BriefingsQuery(BaseModel):
    skip: int = Field(0, ge=0, le=MAX_SKIP)
    limit: int = Field(20, ge=1, le=100)


def _storable(content: dict[str, Any]) -> dict[str, Any]:
    """As deep as JSON is written, with what an answer wraps around it, and not too long."""
    try:
        size = len(orjson.dumps([[content]]))
    except TypeError as exc:
        raise ValueError("is nested too deeply") from exc
    if size > MAX_BRIEFING_BYTES:
        raise ValueError(f"is longer than {MAX_BRIEFING_BYTES} bytes of JSON")
    return content


class NewBriefing(Making):
    """A background report: `content` is any JSON object of its sections."""

    content: Annotated[dict[str, Any], Field(min_length=1), AfterValidator(_storable)]
    model: Annotated[str, Field(min_length=1, max_length=200)]


class BriefingView(_MakingView):
    content: dict[str, Any]
