"""The packaged multilingual model in ONNX Runtime: a fraction of torch's time and memory."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.kb.embedder.conversion import MAX_TOKENS, PASSAGE_PREFIX, QUERY_PREFIX
from services.kb.embedder.folder import discard, made_whole
from services.kb.embedder.graph import EMBEDDINGS, MASK, write_graph
from services.kb.embedder.model import (
    MAX_CHARACTERS_PER_TOKEN,
    MAX_THREADS,
    Encoded,
    InputType,
    ModelCard,
    return_memory,
)
from services.kb.embedder.source import Source, packed_weights
from services.kb.embedder.vocabulary import write_vocabulary
from services.kb.embedder.weights import PackedWeights, Vocabulary

# What vectors depend on beside the weights: raised when the graph or the tokens change.
VARIANT = "onnx-q8-1"

_GRAPH, _VOCABULARY, _MANIFEST = "encoder.onnx", "tokenizer.model", "manifest.json"


class OnnxEncoder:
    """The token table is read where it lies in the package; graph and pieces from a folder."""

    def __init__(self, weights: PackedWeights, folder: Path, card: ModelCard, threads: int) -> None:
        import onnxruntime
        import sentencepiece

        self.card = card
        hidden = weights.shape.hidden
        self._special: Vocabulary = weights.vocabulary
        self._table = weights.table("emb.word", hidden)
        # Every token is of the first type: its row is added to the positions once.
        types = weights.plain("emb.type")[:hidden]
        self._positions = weights.plain("emb.pos").reshape(-1, hidden)[: card.max_tokens] + types
        self._pieces: Any = sentencepiece.SentencePieceProcessor(
            model_file=str(folder / _VOCABULARY)
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or min(MAX_THREADS, os.cpu_count() or 1)
        options.enable_cpu_mem_arena = False  # else the largest batch's memory is kept for good
        self._session = onnxruntime.InferenceSession(
            str(folder / _GRAPH), options, providers=["CPUExecutionProvider"]
        )

    def encode(self, texts: Sequence[str], input_type: InputType) -> Encoded:
        ids, mask = self._tokens(texts, self.card.prefix(input_type))
        hidden = self._positions.shape[1]
        embeddings = self._table.rows(ids.reshape(-1)).reshape(*ids.shape, hidden)
        embeddings += self._positions[: ids.shape[1]]
        (states,) = self._session.run(None, {EMBEDDINGS: embeddings, MASK: mask})
        means: npt.NDArray[np.float32] = (states * mask[..., None]).sum(axis=1, dtype=np.float32)
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        return Encoded(means, int(mask.sum()))

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(row) for row in self._pieces.encode(list(texts))]

    def rest(self) -> None:
        return_memory()

    def _tokens(
        self, texts: Sequence[str], prefix: str
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """(ids, mask): texts × tokens of the longest; shorter ones are filled up."""
        room = self.card.max_tokens - 2
        limit = self.card.max_tokens * MAX_CHARACTERS_PER_TOKEN
        rows = self._pieces.encode([prefix + text[:limit] for text in texts])
        special = self._special
        rows = [[special.bos, *row[:room], special.eos] for row in rows]
        longest = max(map(len, rows))
        ids = np.full((len(rows), longest), special.pad, np.int64)
        mask = np.zeros((len(rows), longest), np.int32)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        return ids, mask


def load_onnx(source: Source, threads: int) -> OnnxEncoder:
    """Loads the packaged model; writes its graph and pieces first where they are not there (1 s).

    Raises UntrustedWeights, OSError.
    """
    weights, digest = packed_weights(source)
    folder = source.folder.with_name(f"{source.name}-{VARIANT}")
    if not _is_whole(folder, digest):
        discard(folder)
        _write(weights, digest, folder)
    card = ModelCard(
        name=source.name,
        revision=digest,
        dimensions=weights.shape.hidden,
        max_tokens=MAX_TOKENS,
        query_prefix=QUERY_PREFIX,
        passage_prefix=PASSAGE_PREFIX,
        variant=VARIANT,
    )
    encoder = OnnxEncoder(weights, folder, card, threads)
    return_memory()
    return encoder


def _write(weights: PackedWeights, digest: str, folder: Path) -> None:
    with made_whole(folder) as draft:
        write_graph(weights, draft / _GRAPH)
        write_vocabulary(weights.vocabulary, draft / _VOCABULARY)
        (draft / _MANIFEST).write_text(json.dumps(_manifest(draft, digest), indent=2) + "\n")


def _is_whole(folder: Path, digest: str) -> bool:
    """Whether the files are those that were written from these weights."""
    try:
        written = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        return bool(written == _manifest(folder, digest))
    except (OSError, ValueError):
        return False


def _manifest(folder: Path, digest: str) -> dict[str, str]:
    files = {name: _sha256(folder / name) for name in (_GRAPH, _VOCABULARY)}
    return {"weights": digest, **files}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
