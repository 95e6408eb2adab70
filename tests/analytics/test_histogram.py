"""Percentiles out of bins that grow."""

import math

from hypothesis import given
from hypothesis import strategies as st

from services.analytics import histogram

DURATIONS = st.lists(st.integers(min_value=101, max_value=3_600_000_000), min_size=1, max_size=300)


def encoded(values: list[int]) -> bytes:
    counts: dict[int, int] = {}
    for value in values:
        counts[histogram.bin_of(value)] = counts.get(histogram.bin_of(value), 0) + 1
    return histogram.encode(counts)


def exact(values: list[int], quantile: float) -> int:
    return sorted(values)[max(math.ceil(quantile * len(values)), 1) - 1]


@given(DURATIONS, st.sampled_from([0.01, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_within_five_per_cent_of_the_exact_one(
    values: list[int], quantile: float
) -> None:
    (found,) = histogram.percentiles_us([encoded(values)], [quantile])
    assert found is not None
    assert abs(found - exact(values, quantile)) <= 0.05 * exact(values, quantile)


@given(DURATIONS, DURATIONS)
def test_adding_histograms_is_as_good_as_one_of_all(first: list[int], second: list[int]) -> None:
    quantiles = [0.5, 0.95, 0.99]
    apart = histogram.percentiles_us([encoded(first), encoded(second)], quantiles)
    assert apart == histogram.percentiles_us([encoded(first + second)], quantiles)


@given(st.dictionaries(st.integers(0, 1023), st.integers(1, 2**32 - 1)))
def test_decoding_gives_back_what_was_encoded(counts: dict[int, int]) -> None:
    assert dict(histogram.pairs(histogram.encode(counts))) == counts


@given(st.integers(min_value=0, max_value=10**19))
def test_any_duration_has_a_bin(duration_us: int) -> None:
    assert 0 <= histogram.bin_of(duration_us) <= 1023


def test_no_values_have_no_percentiles() -> None:
    assert histogram.percentiles_us([], [0.5, 0.99]) == [None, None]
    assert histogram.percentiles_us([b"", b""], [0.5]) == [None]
