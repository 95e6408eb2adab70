"""Write the packed weights as a sentence-transformers folder, once.

The folder's bytes depend on the package's file alone, so that its sha256 can be pinned. Tensors go
to the disk as they are dequantised: the embedding table alone is 384 MB. The safetensors format:
https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from services.kb.embedder.folder import made_whole
from services.kb.embedder.weights import FloatArray, PackedWeights, Shape

QUERY_PREFIX, PASSAGE_PREFIX = "query: ", "passage: "
MAX_TOKENS = 512

_MATRICES = (
    ("q", "attention.self.query"),
    ("k", "attention.self.key"),
    ("v", "attention.self.value"),
    ("ao", "attention.output.dense"),
    ("fi", "intermediate.dense"),
    ("fo", "output.dense"),
)
_NORMS = (("aln", "attention.output.LayerNorm"), ("oln", "output.LayerNorm"))


@dataclass(frozen=True)
class _Tensor:
    """One tensor to be written: its parts follow each other in the file."""

    name: str
    shape: tuple[int, ...]
    parts: Callable[[], Iterable[FloatArray]]

    @property
    def size_bytes(self) -> int:
        return int(np.prod(self.shape)) * 4  # float32


def write_folder(weights: PackedWeights, folder: Path) -> None:
    """Writes the folder; one that exists is whole."""
    with made_whole(folder) as draft:
        _write_weights(weights, draft / "model.safetensors")
        _write_tokenizer(weights, draft)
        _write_configuration(weights, draft)


def _write_weights(weights: PackedWeights, path: Path) -> None:
    tensors = list(_tensors(weights))
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for tensor in tensors:
        end = offset + tensor.size_bytes
        header[tensor.name] = {
            "dtype": "F32",
            "shape": tensor.shape,
            "data_offsets": [offset, end],
        }
        offset = end
    with path.open("wb") as file:
        _write_header(file, header)
        for tensor in tensors:
            for part in tensor.parts():
                file.write(part.tobytes())
        file.flush()
        os.fsync(file.fileno())


def _write_header(file: BinaryIO, header: dict[str, Any]) -> None:
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the data begins at a multiple of 8
    file.write(struct.pack("<Q", len(text)))
    file.write(text)


def _tensors(weights: PackedWeights) -> Iterator[_Tensor]:
    shape = weights.shape
    hidden = shape.hidden
    rows = weights.rows("emb.word", hidden)
    yield _matrix(weights, "embeddings.word_embeddings", "emb.word", rows, hidden)
    for packed, name in (("emb.pos", "position_embeddings"), ("emb.type", "token_type_embeddings")):
        yield _plain(weights, f"embeddings.{name}.weight", packed, hidden)
    yield from _norm(weights, "embeddings.LayerNorm", "emb.ln")
    for layer in range(shape.layers):
        yield from _layer(weights, layer)
    # The pooler is not used, but a loader that misses it fills it with noise and says so.
    yield _Tensor("pooler.dense.weight", (hidden, hidden), lambda: [_zeros(hidden, hidden)])
    yield _Tensor("pooler.dense.bias", (hidden,), lambda: [_zeros(hidden)])


def _layer(weights: PackedWeights, layer: int) -> Iterator[_Tensor]:
    hidden, wide = weights.shape.hidden, weights.shape.feed_forward
    sizes = {"fi": (wide, hidden), "fo": (hidden, wide)}
    for short, long in _MATRICES:
        rows, columns = sizes.get(short, (hidden, hidden))
        name, packed = f"encoder.layer.{layer}.{long}", f"l{layer}.{short}"
        yield _matrix(weights, name, f"{packed}.w", rows, columns)
        yield _plain(weights, f"{name}.bias", f"{packed}.b")
    for short, long in _NORMS:
        yield from _norm(weights, f"encoder.layer.{layer}.{long}", f"l{layer}.{short}")


def _norm(weights: PackedWeights, name: str, packed: str) -> Iterator[_Tensor]:
    yield _plain(weights, f"{name}.weight", f"{packed}.w")
    yield _plain(weights, f"{name}.bias", f"{packed}.b")


def _matrix(weights: PackedWeights, name: str, packed: str, rows: int, columns: int) -> _Tensor:
    return _Tensor(f"{name}.weight", (rows, columns), lambda: weights.quantised(packed, columns))


def _plain(weights: PackedWeights, name: str, packed: str, columns: int = 0) -> _Tensor:
    values = weights.plain(packed)
    shape = (len(values) // columns, columns) if columns else (len(values),)
    return _Tensor(name, shape, lambda: [values])


def _zeros(*shape: int) -> FloatArray:
    return np.zeros(shape, np.float32)


def _write_tokenizer(weights: PackedWeights, folder: Path) -> None:
    """XLM-RoBERTa's tokenizer: unigram pieces, NFKC in the place of its compiled normaliser."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    words = weights.vocabulary
    pieces = list(zip(words.pieces, words.scores, strict=True))
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=words.unk, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(r"[\n\r\t]"), " "),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = _template(words.bos, words.eos)
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)


def _template(bos: int, eos: int) -> Any:
    from tokenizers import processors

    return processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", bos), ("</s>", eos)],
    )


def _write_configuration(weights: PackedWeights, folder: Path) -> None:
    names = "sentence_transformers.models"
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    listed = [
        {"idx": i, "name": str(i), "path": path, "type": f"{names}.{kind}"}
        for i, (path, kind) in enumerate(modules)
    ]
    hidden = weights.shape.hidden
    prompts = {"query": QUERY_PREFIX, "document": PASSAGE_PREFIX}
    files: dict[str, Any] = {
        "config.json": _bert_configuration(weights.shape, weights),
        "tokenizer_config.json": _tokenizer_configuration(),
        "modules.json": listed,
        "sentence_bert_config.json": {"max_seq_length": MAX_TOKENS, "do_lower_case": False},
        "1_Pooling/config.json": {"word_embedding_dimension": hidden, "pooling_mode": "mean"},
        "config_sentence_transformers.json": {"prompts": prompts, "default_prompt_name": None},
    }
    (folder / "2_Normalize").mkdir()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _bert_configuration(shape: Shape, weights: PackedWeights) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "dtype": "float32",
        "hidden_act": "gelu",
        "hidden_size": shape.hidden,
        "intermediate_size": shape.feed_forward,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": shape.token_types,
        "layer_norm_eps": shape.layer_norm_epsilon,
        "vocab_size": weights.rows("emb.word", shape.hidden),
        "pad_token_id": weights.vocabulary.pad,
    }


def _tokenizer_configuration() -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": MAX_TOKENS,
        "padding_side": "right",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "cls_token": "<s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
    }
