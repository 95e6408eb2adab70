"""What is asked of a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.kb import catalogue
from services.kb.search_filter import Condition

Mode = Literal["hybrid", "dense", "lexical"]

_CANDIDATES = 50


@dataclass(frozen=True)
class Query:
    """What is searched for. `lang`: of the passage; `neighbours`: passages around each hit;
    `snippets`: whether hits come with theirs, which is a third of a search's work."""

    text: str
    collection: str = catalogue.DEFAULT_COLLECTION
    mode: Mode = "hybrid"
    top_k: int = 3
    min_score: float = 0.0
    lang: str = ""
    conditions: Sequence[Condition] = ()
    neighbours: int = 0
    snippets: bool = True

    @property
    def candidates(self) -> int:
        """How many passages each side is asked for."""
        return max(_CANDIDATES, self.top_k)
