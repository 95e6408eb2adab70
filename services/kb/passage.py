"""Chunks on their way to an index, as they are read from the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from services.kb.models import CHUNKS, VECTORS


@dataclass(frozen=True)
class Passage:
    """A chunk to be placed; `vector` where one of the right model is known."""

    chunk_id: int
    heading: str
    text: str
    vector: bytes | None


def passages_of(rows: Sequence[Any], model_key: str) -> list[Passage]:
    """Rows of `passage_columns` as passages; vectors of other models do not count."""
    return [
        Passage(row.id, row.heading, row.text, row.vector if row.model_key == model_key else None)
        for row in rows
    ]


def passage_columns() -> Any:
    """A query for what `passages_of` needs, with `collection_id`."""
    c = CHUNKS.c
    columns = (c.id, c.heading, c.text, c.collection_id, VECTORS.c.vector, VECTORS.c.model_key)
    return select(*columns).outerjoin(VECTORS, VECTORS.c.chunk_id == c.id)
