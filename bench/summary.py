"""From single measurements to medians and ratios to the yardstick."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.figures import median_of, median_ratio


@dataclass(frozen=True)
class Sample:
    """What one contender did in one scenario of one round."""

    contender: str
    scenario: str
    round: int
    figures: Mapping[str, float | None]


class Summary:
    """Medians over rounds; ratios taken within each round."""

    def __init__(self, samples: Sequence[Sample], base: str) -> None:
        self.samples = samples
        self.base = base

    def contenders(self) -> list[str]:
        """In the order in which they first appear."""
        return list(dict.fromkeys(sample.contender for sample in self.samples))

    def median(self, contender: str, scenario: str, metric: str) -> float | None:
        return median_of(self._rounds(contender, scenario, metric).values())

    def ratio(self, contender: str, scenario: str, metric: str) -> float | None:
        return median_ratio(
            self._rounds(contender, scenario, metric), self._rounds(self.base, scenario, metric)
        )

    def worst(self, contender: str, scenario: str, metric: str) -> float | None:
        values = self._rounds(contender, scenario, metric).values()
        return max((value for value in values if value is not None), default=None)

    def _rounds(self, contender: str, scenario: str, metric: str) -> dict[int, float | None]:
        return {
            sample.round: sample.figures.get(metric)
            for sample in self.samples
            if sample.contender == contender and sample.scenario == scenario
        }


@dataclass(frozen=True)
class Target:
    """What must be reached in one piece of work."""

    work: str
    scenario: str
    metric: str
    bound: Literal["at least", "at most"]
    limit: float
    unit: str = ""
    relative: bool = False  # to the yardstick; else an absolute figure
    worst: bool = False  # every round must reach it, not the median

    def reached_by(self, summary: Summary, contender: str) -> float | None:
        """The figure to hold against the limit; None where it was not measured."""
        if self.relative:
            return summary.ratio(contender, self.scenario, self.metric)
        take = summary.worst if self.worst else summary.median
        return take(contender, self.scenario, self.metric)

    def holds(self, figure: float | None) -> bool | None:
        if figure is None:
            return None
        return figure >= self.limit if self.bound == "at least" else figure <= self.limit

    def requirement(self, base: str) -> str:
        sign = "≥" if self.bound == "at least" else "≤"
        return f"{sign} {self.limit:g}{f' × {base}' if self.relative else f' {self.unit}'.rstrip()}"
