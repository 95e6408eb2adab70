"""What a file's readers give: blocks of text in order, and what the file says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

BlockKind = Literal["heading", "place", "paragraph", "list", "table", "code", "record"]


@dataclass(frozen=True)
class Block:
    """A piece of a document. `level` (1–6) is a heading's alone.

    A `place` has no text: its `anchor` (a page, a row) is that of what follows. A heading's anchor
    may be empty: then one is made of its text. A `record` is a row of a table or an item of a list
    of data, and stands for itself.
    """

    kind: BlockKind
    text: str
    level: int = 0
    anchor: str = ""


@dataclass(frozen=True)
class About:
    """What a file says of itself; empty where it does not. `metadata` is fit for JSON."""

    title: str = ""
    lang: str = ""
    url: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Extracted:
    """A file that is being read: `blocks` come as they are asked for, so that a big file is never
    whole in memory. Reading on may raise Unprocessable."""

    about: About
    blocks: Iterator[Block]
