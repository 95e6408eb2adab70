"""The packaged multilingual model in ONNX Runtime: a fraction of torch's time and memory."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.kb.embedder.conversion import MAX_TOKENS, PASSAGE_PREFIX, QUERY_PREFIX
from services.kb.embedder.folder import discard, made_whole
from services.kb.embedder.graph import EMBEDDINGS, write_graph
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

# What vectors depend on beside the weights: raised when the graph or the tokens change. The second
# is for processors on which the first would be wrong.
VARIANT, VARIANT_IN_BLOCKS = "onnx-q8-4", "onnx-q8-4b"
_CPU_INFO = Path("/proc/cpuinfo")

_GRAPH, _VOCABULARY, _MANIFEST = "encoder.onnx", "tokenizer.model", "manifest.json"


class OnnxEncoder:
    """The token table is read where it lies in the package; graph and pieces from a folder."""

    def __init__(self, weights: PackedWeights, folder: Path, card: ModelCard, threads: int) -> None:
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
        self.passage_threads = threads or min(MAX_THREADS, os.cpu_count() or 1)
        self._session = _session(folder / _GRAPH)

    def encode(self, texts: Sequence[str], input_type: InputType) -> Encoded:
        """One text after another: padding costs more than a batch gains on a few cores, and so no
        vector depends on its neighbours'."""
        rows = self._tokens(texts, self.card.prefix(input_type))
        vectors = np.stack([self._vector(row) for row in rows])
        return Encoded(vectors, sum(map(len, rows)))

    def _vector(self, row: Sequence[int]) -> npt.NDArray[np.float32]:
        embeddings = self._table.rows(np.array(row)) + self._positions[: len(row)]
        (states,) = self._session.run(None, {EMBEDDINGS: embeddings[None]})
        mean: npt.NDArray[np.float32] = states[0].mean(axis=0)
        return mean / np.linalg.norm(mean)

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(row) for row in self._pieces.encode(list(texts))]

    def rest(self) -> None:
        return_memory()

    def _tokens(self, texts: Sequence[str], prefix: str) -> list[list[int]]:
        """The ids of each text's tokens, between the marks of beginning and end."""
        room = self.card.max_tokens - 2
        limit = self.card.max_tokens * MAX_CHARACTERS_PER_TOKEN
        # One by one: for a list threads are started anew each time, 0.1 ms for pieces of 3 µs.
        rows = [self._pieces.encode(prefix + text[:limit]) for text in texts]
        special = self._special
        return [[special.bos, *row[:room], special.eos] for row in rows]


def _session(graph: Path) -> Any:
    """Each call computes in its caller's own thread: texts side by side need no waking and waiting
    for each other within a text, and each has the priority of its thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # else the largest text's memory is kept for good
    return onnxruntime.InferenceSession(
        str(graph),
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=["SkipLayerNormFusion"],  # slower than its parts: see graph.py
    )


def load_onnx(source: Source, threads: int) -> OnnxEncoder:
    """Loads the packaged model; writes its graph and pieces first where they are not there (1 s).

    Raises UntrustedWeights, OSError.
    """
    weights, digest = packed_weights(source)
    variant = VARIANT if adds_exactly() else VARIANT_IN_BLOCKS
    folder = source.folder.with_name(f"{source.name}-{variant}")
    if not _is_whole(folder, digest):
        discard(folder)
        _write(weights, digest, folder, variant)
    card = ModelCard(
        name=source.name,
        revision=digest,
        dimensions=weights.shape.hidden,
        max_tokens=MAX_TOKENS,
        query_prefix=QUERY_PREFIX,
        passage_prefix=PASSAGE_PREFIX,
        variant=variant,
    )
    encoder = OnnxEncoder(weights, folder, card, threads)
    return_memory()
    return encoder


def adds_exactly(machine: str = "", cpu_info: Path = _CPU_INFO) -> bool:
    """Whether sums of products of bytes stay whole: x86 without VNNI adds them in 16 bits, which
    overflow. https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html"""
    if (machine or platform.machine()).lower() not in ("x86_64", "amd64"):
        return True
    try:
        flags = cpu_info.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return False
    return not {"avx512_vnni", "avx_vnni"}.isdisjoint(flags)


def _write(weights: PackedWeights, digest: str, folder: Path, variant: str) -> None:
    with made_whole(folder) as draft:
        write_graph(weights, draft / _GRAPH, all_in_blocks=variant == VARIANT_IN_BLOCKS)
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
