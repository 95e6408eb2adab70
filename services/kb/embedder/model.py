"""An embedding model in memory: texts in, vectors of length one out."""

from __future__ import annotations

import ctypes
import gc
import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from services.kb.embedder.source import Source, prepare
from services.kb.embedder.weights import QuantisedTable, open_packed

InputType = Literal["query", "passage"]

# No token has more characters than this on average, so that a huge text is cut before it is read.
_MAX_CHARACTERS_PER_TOKEN = 16
_MAX_THREADS = 4


@dataclass(frozen=True)
class ModelCard:
    """What vectors of two models must share to be compared. `revision`: sha256 of the weights."""

    name: str
    revision: str
    dimensions: int
    max_tokens: int
    query_prefix: str
    passage_prefix: str

    @property
    def key(self) -> str:
        """Equal for models whose vectors may be compared."""
        parts = (self.revision, self.query_prefix, self.passage_prefix, str(self.dimensions))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def prefix(self, input_type: InputType) -> str:
        return self.query_prefix if input_type == "query" else self.passage_prefix


@dataclass(frozen=True)
class Encoded:
    """`vectors`: float32, texts × dimensions, each of length one; `tokens`: what the model read."""

    vectors: npt.NDArray[np.float32]
    tokens: int


class Encoder(Protocol):
    """A loaded model."""

    card: ModelCard

    def encode(self, texts: Sequence[str], input_type: InputType) -> Encoded:
        """Embeds texts in one batch; blocks."""

    def rest(self) -> None:
        """Called from the same thread now and then, when it does not matter that it takes a bit."""


class SentenceTransformerEncoder:
    """Any model that sentence-transformers can load from a local folder."""

    def __init__(self, model: Any, card: ModelCard) -> None:
        self.card = card
        self._model = model

    def encode(self, texts: Sequence[str], input_type: InputType) -> Encoded:
        import torch

        limit = self.card.max_tokens * _MAX_CHARACTERS_PER_TOKEN
        prefix = self.card.prefix(input_type)
        with torch.inference_mode():
            features = self._model.preprocess([prefix + text[:limit] for text in texts])
            tokens = int(features["attention_mask"].sum())
            pooled = self._model(features)["sentence_embedding"]
            unit = torch.nn.functional.normalize(pooled.float(), dim=1)
        return Encoded(unit.numpy(), tokens)

    def rest(self) -> None:
        _return_memory()


def load(source: Source, threads: int) -> SentenceTransformerEncoder:
    """Loads a model: seconds, and hundreds of megabytes. Raises UntrustedWeights.

    Nothing is looked for on a model hub: all that is needed lies in the folder.
    """
    revision = prepare(source)
    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS"):
        os.environ[name] = "1"  # read when huggingface_hub is imported, below
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)  # it logs paths
    disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers leaves it untyped
    torch.set_num_threads(threads or min(_MAX_THREADS, os.cpu_count() or 1))
    model = SentenceTransformer(str(source.folder), device="cpu", local_files_only=True)
    model.eval()
    if source.packed is not None:
        _read_embeddings_from(source.packed, model)
    _return_memory()
    return SentenceTransformerEncoder(model, _card(model, source.name, revision))


def _read_embeddings_from(packed: Path, model: Any) -> None:
    """Puts the 4-bit table in the place of the float32 one: the same numbers, 330 MB less.

    The float32 table is mapped from the folder's file and takes no memory as long as no one reads.
    """
    import torch

    class QuantisedEmbedding(torch.nn.Module):
        def __init__(self, table: QuantisedTable, columns: int) -> None:
            super().__init__()
            self._table = table
            self._columns = columns

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            rows = self._table.rows(ids.reshape(-1).numpy())
            return torch.from_numpy(rows).reshape(*ids.shape, self._columns)

    weights = open_packed(packed)
    hidden = weights.shape.hidden
    table = weights.table("emb.word", hidden)
    model[0].auto_model.set_input_embeddings(QuantisedEmbedding(table, hidden))


def _return_memory() -> None:
    """Gives back what is free: glibc keeps it, 70 MB after some batches, 200 MB after many."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # glibc only
        trim(0)


def _card(model: Any, name: str, revision: str) -> ModelCard:
    prompts: dict[str, str] = model.prompts
    return ModelCard(
        name=name,
        revision=revision,
        dimensions=int(model.get_embedding_dimension()),
        max_tokens=int(model.max_seq_length or 512),
        query_prefix=prompts.get("query") or "",
        passage_prefix=prompts.get("passage") or prompts.get("document") or "",
    )
