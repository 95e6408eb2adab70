"""Wire types of kb's API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.kb.catalogue import DEFAULT_COLLECTION
from services.kb.company import AssistantInfo, CompanyInfo

MAX_QUERY_CHARACTERS = 4_000
MAX_URLS = 1_000
MAX_CONTENT_CHARACTERS = 20_000_000

QueryText = Annotated[str, Field(min_length=1, max_length=MAX_QUERY_CHARACTERS, pattern=r"\S")]
CollectionName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
IndexState = Literal["empty", "indexing", "ready", "model_changed"]


class CompanyResponse(BaseModel):
    success: bool = True
    company_info: CompanyInfo
    assistant_info: AssistantInfo


class NewCollection(BaseModel):
    """`open`: whether everyone may search it; else it takes a key of it."""

    model_config = ConfigDict(extra="forbid")

    name: CollectionName
    open: bool = False


class CollectionChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    open: bool


class NewCollectionKey(BaseModel):
    """`name` says who uses the key."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)


class CollectionKeyView(BaseModel):
    """`hint`: the key's last characters."""

    id: str
    name: str
    hint: str
    created_at: str


class IssuedCollectionKey(CollectionKeyView):
    key: str = Field(description="Shown this once; only its hash is kept.")


class CollectionKeyList(BaseModel):
    items: list[CollectionKeyView]
    next_cursor: str | None = None


class StoredModel(BaseModel):
    """What made a collection's vectors; those of another model are not compared with them."""

    name: str
    revision: str
    dimensions: int
    query_prefix: str
    passage_prefix: str


class CollectionView(BaseModel):
    """`state`: empty, indexing (`pending` passages wait), ready, or model_changed (rebuild it)."""

    name: str
    open: bool = Field(description="Whether everyone may search it.")
    documents: int
    chunks: int
    pending: int
    embedding_model: str | None
    model: StoredModel | None
    state: IndexState
    created_at: str


class EmbedderView(BaseModel):
    """The model that the embedder has now; `revision` is the sha256 of its weights."""

    model: str
    revision: str
    dimensions: int


class CollectionList(BaseModel):
    """`embedder` is null while the embedder is away or loads its model."""

    items: list[CollectionView]
    next_cursor: str | None = None
    embedder: EmbedderView | None


class DocumentsQuery(BaseModel):
    """`source_prefix`: only documents whose source begins so."""

    collection: CollectionName = DEFAULT_COLLECTION
    source_prefix: str = ""
    cursor: str = ""
    limit: int = Field(100, ge=1, le=1000)


class DocumentQuery(BaseModel):
    collection: CollectionName = DEFAULT_COLLECTION
    source: str = Field(min_length=1)


class UrlsBody(BaseModel):
    """Pages and files of the web that are to be fetched into a collection."""

    model_config = ConfigDict(extra="forbid")

    collection: CollectionName = DEFAULT_COLLECTION
    urls: Annotated[list[str], Field(min_length=1, max_length=MAX_URLS)]


class DocumentBody(BaseModel):
    """A document as text; its format is told by the suffix of `source` (.md, .txt, .html, .csv,
    .json, .xml)."""

    model_config = ConfigDict(extra="forbid")

    collection: CollectionName = DEFAULT_COLLECTION
    source: str = Field(min_length=1, max_length=500)
    content: str = Field(min_length=1, max_length=MAX_CONTENT_CHARACTERS)
    title: str = Field("", max_length=500)
    url: str = Field("", max_length=2_000)
    lang: str = Field("", max_length=20)
    metadata: dict[str, Any] = Field(default_factory=dict)


class StoredResponse(BaseModel):
    """What became of a document; its new passages are embedded after the answer."""

    id: str
    source: str
    outcome: Literal["created", "changed", "unchanged"]
    chunks: int
    new_chunks: int


class DocumentView(BaseModel):
    id: str
    source: str
    title: str
    url: str | None
    lang: str
    media_type: str
    content_hash: str = Field(description="sha256 of the file's bytes.")
    size_bytes: int
    metadata: dict[str, Any]
    up_to_date: bool = Field(description="Cut into passages as new documents are now.")
    created_at: str
    updated_at: str


class DocumentDetail(DocumentView):
    collection: str
    chunks: int
    content: str = Field(description="As it came, or its passages' text; 4 MiB at most.")


class DocumentList(BaseModel):
    items: list[DocumentView]
    next_cursor: str | None


class ChunksQuery(BaseModel):
    """`cursor`: the position of the last passage of the page before."""

    cursor: int = Field(-1, ge=-1)
    limit: int = Field(50, ge=1, le=200)


class ChunkView(BaseModel):
    """A passage as it was cut; `indexed`: its vector is where search finds it."""

    id: str
    position: int = Field(description="Counts the document's passages from 0.")
    heading_path: list[str]
    anchor: str
    lang: str
    tokens: int = Field(description="Estimated for the embedding model.")
    content: str
    indexed: bool


class ChunkList(BaseModel):
    """In the order of the document."""

    items: list[ChunkView]
    next_cursor: str | None


class JobFileView(BaseModel):
    source: str
    state: Literal["queued", "stored", "failed", "cancelled"]
    error: str | None
    document_id: str | None


class JobView(BaseModel):
    """`progress`: 0 to 100. A job is `failed` when nothing of it could be done."""

    id: str
    kind: Literal["ingest", "rebuild"]
    collection: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    error: str | None
    progress: int
    files_total: int
    files_done: int
    files_failed: int
    chunks_total: int
    chunks_done: int
    files: list[JobFileView] = Field(description="Empty in lists and in a stream's progress.")
    created_at: str
    updated_at: str


class JobsQuery(BaseModel):
    cursor: str = ""
    limit: int = Field(100, ge=1, le=1000)


class JobList(BaseModel):
    """Newest first."""

    items: list[JobView]
    next_cursor: str | None
