"""A passage's rank and scores → `relevance_score`, 0 to 1, that a threshold can be put on.

About 0.5 means: as likely as not that the passage answers the question. RRF's own scores cannot say
that (a best rank is a best rank, however bad), and a cosine cannot either: models differ, and so do
pairs of languages. So the cosine is taken above its background, the passages further down the same
list, and the lexical evidence is added where question and passage share a script.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Passages 11 to 50 of the dense list are the background: near the question, seldom its answer.
_BACKGROUND_FROM = 10
# How many passages the typical background of the model counts for, in a small collection.
_PRIOR_PASSAGES = 10

_MAX_EVIDENCE = 1.2


@dataclass(frozen=True)
class Calibration:
    """A model's cosines: what unrelated texts have (`background`), and what one step means.

    `english_only`: for Chinese its vectors are worse than none (recall@1 .141, words alone .928).
    """

    background: float
    slope: float
    english_only: bool = False


# Steps that even out the models' ranges: e5's cosines lie close together, MiniLM's far apart.
_KNOWN_MODELS = {
    "multilingual-e5-small": Calibration(background=0.80, slope=25.0),
    "all-MiniLM-L6-v2": Calibration(background=0.10, slope=6.0, english_only=True),
}
_UNKNOWN_MODEL = Calibration(background=0.30, slope=10.0)


@dataclass(frozen=True)
class _Weights:
    intercept: float
    dense: float
    evidence: float


# Rounded from logistic regressions over questions with and without their answer in the collection.
# A question in another script finds no words of its own: there the cosine has to say it alone.
_SAME_SCRIPT = _Weights(intercept=-3.6, dense=1.0, evidence=4.0)
_OTHER_SCRIPT = _Weights(intercept=-1.8, dense=1.6, evidence=0.0)
_LEXICAL_ONLY = _Weights(intercept=-2.4, dense=0.0, evidence=5.0)


def calibration_of(model_name: str) -> Calibration:
    """What is known of a model's cosines."""
    return _KNOWN_MODELS.get(model_name, _UNKNOWN_MODEL)


def background_of(cosines: Sequence[float], calibration: Calibration) -> float:
    """The background of one dense list (best first)."""
    rest = cosines[_BACKGROUND_FROM:]
    total = sum(rest) + _PRIOR_PASSAGES * calibration.background
    return total / (len(rest) + _PRIOR_PASSAGES)


def relevance(
    cosine: float | None,
    background: float,
    evidence: float,
    *,
    same_script: bool,
    calibration: Calibration,
) -> float:
    """The score of one passage. `cosine` is None where the dense side was not asked."""
    if cosine is None:
        return _logistic(_LEXICAL_ONLY, 0.0, evidence)
    weights = _SAME_SCRIPT if same_script else _OTHER_SCRIPT
    return _logistic(weights, calibration.slope * (cosine - background), evidence)


def _logistic(weights: _Weights, dense: float, evidence: float) -> float:
    kept = min(_MAX_EVIDENCE, evidence)
    logit = weights.intercept + weights.dense * dense + weights.evidence * kept
    return 1.0 / (1.0 + math.exp(-logit))
