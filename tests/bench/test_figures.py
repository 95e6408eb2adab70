"""Percentiles, ratios and medians: what every figure of the benchmarks goes through."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.figures import median_of, median_ratio, milliseconds, percentile, ratio

VALUES = st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=50)


def test_a_percentile_is_the_smallest_value_that_the_share_does_not_exceed() -> None:
    values = [30, 10, 20, 40]
    assert percentile(values, 0.5) == 20
    assert percentile(values, 0.51) == 30
    assert percentile(values, 0.99) == 40
    assert percentile(values, 0.0) == 10


def test_a_percentile_of_nothing_is_no_figure() -> None:
    assert percentile([], 0.5) is None


@settings(deadline=None)
@given(VALUES, st.floats(min_value=0, max_value=1))
def test_at_least_the_share_of_the_values_lies_at_or_below_the_percentile(
    values: list[int], share: float
) -> None:
    found = percentile(values, share)
    assert found in values
    assert found is not None
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6
    assert sum(value < found for value in values) <= share * len(values)


def test_a_ratio_to_nothing_is_no_figure() -> None:
    assert ratio(3.0, 2.0) == 1.5
    assert ratio(3.0, 0.0) is None
    assert ratio(3.0, None) is None
    assert ratio(None, 2.0) is None


def test_ratios_are_taken_within_a_round_before_their_median() -> None:
    mine = {0: 10.0, 1: 100.0, 2: 40.0}
    base = {0: 10.0, 1: 50.0, 2: 10.0}
    assert median_ratio(mine, base) == 2.0  # of 1, 2 and 4; the medians' ratio would be 4


def test_a_round_without_its_yardstick_does_not_count() -> None:
    assert median_ratio({0: 10.0, 1: 99.0}, {0: 5.0}) == 2.0
    assert median_ratio({0: 10.0}, {}) is None


def test_the_median_leaves_out_what_was_not_measured() -> None:
    assert median_of([None, 3.0, 1.0, 2.0]) == 2.0
    assert median_of([None]) is None


def test_nanoseconds_become_milliseconds() -> None:
    assert milliseconds(1_500_000) == pytest.approx(1.5)
    assert milliseconds(None) is None
