"""`/api/passages`: passages by the ids that search results, citations and events name them by."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy import Connection, select

from services.kb.models import CHUNKS, COLLECTIONS, DOCUMENTS
from services.kb.state import State
from services.kernel.routing import Call

MAX_PASSAGES = 200


def _some_ids(text: str) -> str:
    if len(text.split(",")) > MAX_PASSAGES:
        raise ValueError(f"at most {MAX_PASSAGES} ids")
    return text


class PassagesQuery(BaseModel):
    ids: Annotated[
        str,
        Field(max_length=MAX_PASSAGES * 129, description="Separated by commas; 200 at most."),
        AfterValidator(_some_ids),
    ]


class PassageView(BaseModel):
    """A passage and the document that it is of."""

    id: str
    document_id: str
    position: int = Field(description="Counts the document's passages from 0.")
    collection: str
    title: str
    heading_path: list[str]
    source: str
    url: str | None
    anchor: str
    lang: str
    content: str


class PassageList(BaseModel):
    """In the order of their ids; those that are gone are left out."""

    items: list[PassageView]
    next_cursor: None = None


async def list_passages(call: Call[State], query: PassagesQuery) -> PassageList:
    """Passages by their ids; those that are no longer there are left out"""
    # Ids are callers' words: what is no number of SQLite's names nothing.
    given = {part.strip() for part in query.ids.split(",")}
    wanted = [int(part) for part in given if part.isdecimal() and len(part) <= 18]

    def work(connection: Connection) -> list[PassageView]:
        return [_passage(row) for row in connection.execute(_SELECT.where(CHUNKS.c.id.in_(wanted)))]

    return PassageList(items=await call.state.database.read(work))


_SELECT = (
    select(
        CHUNKS,
        DOCUMENTS.c.title,
        DOCUMENTS.c.source,
        DOCUMENTS.c.url,
        COLLECTIONS.c.name.label("collection"),
    )
    .join(DOCUMENTS, DOCUMENTS.c.id == CHUNKS.c.document_id)
    .join(COLLECTIONS, COLLECTIONS.c.id == CHUNKS.c.collection_id)
    .order_by(CHUNKS.c.id)
)


def _passage(row: Any) -> PassageView:
    same = ("document_id", "position", "collection", "heading_path", "source", "url", "anchor")
    return PassageView(
        id=str(row.id),
        title=row.title or row.source,
        lang=row.lang,
        content=row.text,
        **{name: getattr(row, name) for name in same},
    )
