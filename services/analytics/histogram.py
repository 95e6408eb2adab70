"""Histograms with bins that grow: percentiles of millions of values out of a few hundred counts.

Bin 0 holds all up to 0.1 ms; bin i holds (0.1 ms · G^(i-1), 0.1 ms · G^i]. A value read back from
its bin is at most 3 % off, and so is a percentile (DDSketch, https://arxiv.org/abs/1908.10693).
Encoded: 6 bytes a bin in use, its number (2) and count (4), little-endian, in rising order.
Adding two histograms adds their counts, so that quarters of an hour make days and months.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping

import numpy as np

_ERROR = 0.03
_GROWTH = (1 + _ERROR) / (1 - _ERROR)
_LOG_GROWTH = math.log(_GROWTH)
_SMALLEST_US = 100.0
_PAIR = struct.Struct("<HI")
_PAIRS = np.dtype([("bin", "<u2"), ("count", "<u4")])
_LAST_BIN = 1023  # past two and a half thousand years; only keeps the number within its bytes
_MAX_COUNT = 0xFFFF_FFFF


def bin_of(duration_us: int) -> int:
    """The number of the bin that holds a duration in microseconds."""
    if duration_us <= _SMALLEST_US:
        return 0
    return min(math.ceil(math.log(duration_us / _SMALLEST_US) / _LOG_GROWTH), _LAST_BIN)


def value_of(number: int) -> float:
    """The duration in microseconds that stands for all of a bin."""
    if number == 0:
        return _SMALLEST_US
    return float(_SMALLEST_US * 2 * _GROWTH**number / (_GROWTH + 1))


def encode(counts: Mapping[int, int]) -> bytes:
    """In one call for all bins: this is done for each sum of each transaction."""
    flat = [value for pair in sorted(counts.items()) for value in pair]
    try:
        return struct.pack("<" + "HI" * len(counts), *flat)
    except struct.error:  # more than four thousand million values in one bin
        return encode({number: min(count, _MAX_COUNT) for number, count in counts.items()})


def pairs(blob: bytes) -> Iterable[tuple[int, int]]:
    """(bin, count) of what was encoded."""
    return _PAIR.iter_unpack(blob)


def percentiles_us(blobs: Iterable[bytes], quantiles: Iterable[float]) -> list[float | None]:
    """The nearest-rank percentiles of all values in `blobs`, in microseconds; None of no value."""
    pairs = np.frombuffer(b"".join(blobs), dtype=_PAIRS)
    cumulative = np.cumsum(np.bincount(pairs["bin"], weights=pairs["count"]))
    if not len(cumulative):
        return [None for _ in quantiles]
    ranks = [max(math.ceil(q * float(cumulative[-1])), 1) for q in quantiles]
    return [value_of(int(number)) for number in np.searchsorted(cumulative, ranks)]
