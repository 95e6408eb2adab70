"""The arithmetic of the benchmarks, apart from where its numbers come from."""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from statistics import median


def percentile(values: Sequence[float], share: float) -> float | None:
    """The nearest-rank percentile: the smallest value that `share` (0..1) of all do not exceed.

    None when there are no values: a figure that was not measured is not a zero.
    """
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def ratio(value: float | None, base: float | None) -> float | None:
    """`value / base`, or None where either is missing or the base is zero."""
    if value is None or not base:
        return None
    return value / base


def median_of(values: Iterable[float | None]) -> float | None:
    """The median of what was measured; None when nothing was."""
    known = [value for value in values if value is not None]
    return median(known) if known else None


def median_ratio(
    rounds: Mapping[int, float | None], base_rounds: Mapping[int, float | None]
) -> float | None:
    """The median over rounds of value / base, each taken from the same round.

    A neighbour that slows the machine slows both sides of one round alike, so this is
    steadier than the ratio of two medians.
    """
    return median_of(ratio(value, base_rounds.get(number)) for number, value in rounds.items())


def milliseconds(nanoseconds: float | None) -> float | None:
    """Nanoseconds as milliseconds, keeping None."""
    return None if nanoseconds is None else nanoseconds / 1e6
