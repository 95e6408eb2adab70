"""The tables of kb's database, which is the truth: Chroma and FTS5 can be made again from it.

Times are text, RFC 3339 in UTC with microseconds. Beside these tables there is, for each
collection, an FTS5 table `terms_<id>` (see `lexical.py`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel


def now() -> str:
    """The present time as the tables keep it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _owner(table: str, *, index: bool = True, primary_key: bool = False) -> Any:
    key = ForeignKey(f"{table}.id", ondelete="CASCADE")
    return Column(key, nullable=False, index=index, primary_key=primary_key)


def _number() -> Any:
    return Column(Integer, nullable=False, server_default="0")


class KbTable(SQLModel):
    """What kb's tables share: a catalogue of their own, apart from other services' tables."""

    metadata = MetaData()


class Collection(KbTable, table=True):
    """A separate index. The model's columns are empty until its first passage is embedded;
    `model_key` sums up the model's revision, prefixes and dimensions, which stand in `model`.

    `open`: searched without a credential. `unclean`: words of deleted passages may still lie in its
    word index. `index_name` names its collection in Chroma; it is never used twice, so that vectors
    of a database that was put back or deleted are never taken for its own.
    """

    __tablename__ = "collections"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    index_name: str
    model_key: str = ""
    model_name: str = ""
    created_at: str = Field(default_factory=now)
    open: int = Field(default=0, sa_column=_number())
    unclean: int = Field(default=0, sa_column=_number())
    model: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JSON, nullable=False, server_default="{}")
    )


class CollectionKey(KbTable, table=True):
    """A credential for searching one collection: only the sha256 of it is kept, and its last
    characters as a `hint` to tell it by."""

    __tablename__ = "collection_keys"

    id: str = Field(primary_key=True)
    collection_id: int = Field(sa_column=_owner("collections"))
    name: str
    key_hash: str = Field(unique=True)
    hint: str
    created_at: str = Field(default_factory=now)


class Document(KbTable, table=True):
    """A document; `content_hash` is the sha256 of its bytes. An equal hash and an equal `recipe`
    (how it was cut into passages, and what was said about it) mean that nothing is to be done.
    `revision` counts how often it was stored."""

    __tablename__ = "documents"
    __table_args__ = (UniqueConstraint("collection_id", "source"),)

    id: str = Field(primary_key=True)
    collection_id: int = Field(sa_column=_owner("collections"))
    source: str
    title: str
    url: str = ""
    lang: str
    media_type: str
    content_hash: str
    size_bytes: int
    attributes: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column("metadata", JSON, nullable=False)
    )
    created_at: str = Field(default_factory=now)
    updated_at: str = Field(default_factory=now)
    recipe: str = Field(default="", sa_column=Column(String, nullable=False, server_default=""))
    revision: int = Field(default=0, sa_column=_number())


class Content(KbTable, table=True):
    """A document's bytes as they came, in parts of a mebibyte."""

    __tablename__ = "contents"

    document_id: str = Field(sa_column=_owner("documents", index=False, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True))
    part: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Chunk(KbTable, table=True):
    """A passage of a document. `heading`: title and headings, one a line; `text_hash`: of all that
    is embedded, the heading and the text; `revision`: of its document, when it was last in it.
    Its neighbours are the document's passages at the `position`s before and after it."""

    __tablename__ = "chunks"
    __table_args__ = (
        Index("chunks_by_text", "document_id", "text_hash"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    document_id: str = Field(sa_column=_owner("documents", index=False))
    collection_id: int = Field(sa_column=_owner("collections"))
    position: int
    anchor: str
    heading_path: list[str] = Field(sa_column=Column(JSON, nullable=False))
    lang: str
    heading: str
    text: str
    text_hash: str
    tokens: int
    revision: int = Field(default=0, sa_column=_number())


class Vector(KbTable, table=True):
    """A passage's embedding, little-endian float32; `model_key` says which model made it."""

    __tablename__ = "vectors"

    chunk_id: int = Field(sa_column=_owner("chunks", index=False, primary_key=True))
    model_key: str
    vector: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Pending(KbTable, table=True):
    """A passage that is not in Chroma yet; `attempts`: how often the model failed on it."""

    __tablename__ = "pending"

    chunk_id: int = Field(sa_column=_owner("chunks", index=False, primary_key=True))
    attempts: int = 0


class Tombstone(KbTable, table=True):
    """A passage that is gone here and still to be deleted in Chroma; without `chunk_id` the whole
    index is."""

    __tablename__ = "tombstones"

    id: int | None = Field(default=None, primary_key=True)
    index_name: str
    chunk_id: int | None = None


class Job(KbTable, table=True):
    """Work that goes on after the answer: `kind` ingest or rebuild."""

    __tablename__ = "jobs"

    id: str = Field(primary_key=True)
    kind: str
    collection: str
    state: str = "queued"
    error: str = ""
    total: int = 0
    done: int = 0
    created_at: str = Field(default_factory=now)
    updated_at: str = Field(default_factory=now)


class JobFile(KbTable, table=True):
    """One file of an ingest job; its bytes wait in `spool` until it is read."""

    __tablename__ = "job_files"
    __table_args__ = (Index("job_files_waiting", "state", "job_id"),)

    job_id: str = Field(
        sa_column=Column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    )
    number: int = Field(sa_column=Column(Integer, primary_key=True))
    source: str
    url: str = ""
    spool: str
    state: str = "queued"
    error: str = ""
    document_id: str = ""


COLLECTIONS = KbTable.metadata.tables["collections"]
COLLECTION_KEYS = KbTable.metadata.tables["collection_keys"]
CONTENTS = KbTable.metadata.tables["contents"]
DOCUMENTS = KbTable.metadata.tables["documents"]
CHUNKS = KbTable.metadata.tables["chunks"]
VECTORS = KbTable.metadata.tables["vectors"]
PENDING = KbTable.metadata.tables["pending"]
TOMBSTONES = KbTable.metadata.tables["tombstones"]
JOBS = KbTable.metadata.tables["jobs"]
JOB_FILES = KbTable.metadata.tables["job_files"]
