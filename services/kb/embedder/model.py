"""An embedding model in memory: texts in, vectors of length one out."""

from __future__ import annotations

import ctypes
import gc
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

InputType = Literal["query", "passage"]

# No token has more characters than this on average, so that a huge text is cut before it is read.
MAX_CHARACTERS_PER_TOKEN = 16
MAX_THREADS = 4


@dataclass(frozen=True)
class ModelCard:
    """What vectors of two models must share to be compared. `revision`: sha256 of the weights;
    `variant`: how they are computed, where that is not sentence-transformers."""

    name: str
    revision: str
    dimensions: int
    max_tokens: int
    query_prefix: str
    passage_prefix: str
    variant: str = ""

    @property
    def key(self) -> str:
        """Equal for models whose vectors may be compared."""
        parts = [self.revision, self.query_prefix, self.passage_prefix, str(self.dimensions)]
        parts += [self.variant] if self.variant else []
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def prefix(self, input_type: InputType) -> str:
        return self.query_prefix if input_type == "query" else self.passage_prefix


@dataclass(frozen=True)
class Encoded:
    """`vectors`: float32, texts × dimensions, each of length one; `tokens`: what the model read."""

    vectors: npt.NDArray[np.float32]
    tokens: int


class Encoder(Protocol):
    """A loaded model. `passage_threads`: so many may call `encode` at once, beside one that embeds
    queries; 0: one thread does all."""

    card: ModelCard
    passage_threads: int

    def encode(self, texts: Sequence[str], input_type: InputType) -> Encoded:
        """Embeds texts in one batch; blocks."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has, without marks of beginning and end; blocks."""

    def rest(self) -> None:
        """Called now and then, when it does not matter that it takes a bit."""


def return_memory() -> None:
    """Gives back what is free: glibc keeps it, 70 MB after some batches, 200 MB after many."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # glibc only
        trim(0)
