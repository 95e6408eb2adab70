"""Any model that sentence-transformers can load, in torch."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.kb.embedder.model import (
    MAX_CHARACTERS_PER_TOKEN,
    MAX_THREADS,
    Encoded,
    InputType,
    ModelCard,
    return_memory,
)
from services.kb.embedder.source import Source, prepare
from services.kb.embedder.weights import QuantisedTable, open_packed


class SentenceTransformerEncoder:
    """Any model that sentence-transformers can load from a local folder."""

    passage_threads = 0

    def __init__(self, model: Any, card: ModelCard) -> None:
        self.card = card
        self._model = model

    def encode(self, texts: Sequence[str], input_type: InputType) -> Encoded:
        import torch

        limit = self.card.max_tokens * MAX_CHARACTERS_PER_TOKEN
        prefix = self.card.prefix(input_type)
        with torch.inference_mode():
            features = self._model.preprocess([prefix + text[:limit] for text in texts])
            tokens = int(features["attention_mask"].sum())
            pooled = self._model(features)["sentence_embedding"]
            unit = torch.nn.functional.normalize(pooled.float(), dim=1)
        return Encoded(unit.numpy(), tokens)

    def count(self, texts: Sequence[str]) -> list[int]:
        # The tokenizer's own face: transformers' would cut, pad and warn.
        backend = self._model.tokenizer.backend_tokenizer
        backend.no_truncation()
        backend.no_padding()
        encoded = backend.encode_batch(list(texts), add_special_tokens=False)
        return [len(item.ids) for item in encoded]

    def rest(self) -> None:
        return_memory()


def load_transformer(source: Source, threads: int) -> SentenceTransformerEncoder:
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
    torch.set_num_threads(threads or min(MAX_THREADS, os.cpu_count() or 1))
    model = SentenceTransformer(str(source.folder), device="cpu", local_files_only=True)
    model.eval()
    if source.packed is not None:
        _read_embeddings_from(source.packed, model)
    return_memory()
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
