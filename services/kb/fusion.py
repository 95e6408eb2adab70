"""Dense and lexical ranks → one order: reciprocal rank fusion with a gate on the lexical side.

Plain RRF gives full credit for a rank, however thin the evidence: an English question over Chinese
passages then follows stray Latin words and digits, and recall@1 falls from .71 to .29. So what a
lexical rank is worth grows with the share of the question that it covers, and it takes much more of
it where question and passage are written in different scripts.
RRF: Cormack, Clarke, Büttcher (2009), https://doi.org/10.1145/1571941.1572114
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Below 60, the paper's value, because both lists are short and their heads are what matters.
RANK_CONSTANT = 10

# Evidence (see lexical.Match) at which the lexical side begins to count, and counts in full.
_SAME_SCRIPT = (0.3, 1.0)
_OTHER_SCRIPT = (0.6, 1.0)
# In full it still counts a little less than the dense side: where questions are worded unlike their
# answers the dense order is the better one, and where they are alike both agree.
_FULL_WEIGHT = 0.7


@dataclass(frozen=True)
class Candidate:
    """A passage that a side found. Ranks begin at 1; None: that side did not find it."""

    chunk_id: int
    dense_rank: int | None = None
    lexical_rank: int | None = None
    evidence: float = 0.0
    same_script: bool = True


@dataclass(frozen=True)
class Fused:
    """A candidate's place; `lexical_weight`: what its lexical rank was worth, 0 to 1."""

    chunk_id: int
    score: float
    lexical_weight: float


def fuse(candidates: Sequence[Candidate]) -> list[Fused]:
    """Best first; equal scores by the dense rank, then by id, so that the order is stable."""
    fused = []
    for item in candidates:
        weight = gate(item.evidence, item.same_script) if item.lexical_rank else 0.0
        score = _share(item.dense_rank) + weight * _share(item.lexical_rank)
        fused.append((Fused(item.chunk_id, score, weight), item.dense_rank or len(candidates) + 1))
    fused.sort(key=lambda pair: (-pair[0].score, pair[1], pair[0].chunk_id))
    return [item for item, _ in fused]


def gate(evidence: float, same_script: bool) -> float:
    """What a lexical rank is worth, 0 to 0.7: rises with the evidence, later for another script."""
    low, high = _SAME_SCRIPT if same_script else _OTHER_SCRIPT
    return _FULL_WEIGHT * min(1.0, max(0.0, (evidence - low) / (high - low)))


def _share(rank: int | None) -> float:
    return 0.0 if rank is None else 1.0 / (RANK_CONSTANT + rank)


def ranks(chunk_ids: Sequence[int]) -> Mapping[int, int]:
    """Ranks by id, from a list that is best first."""
    return {chunk_id: rank for rank, chunk_id in enumerate(chunk_ids, 1)}
