"""Passages of several languages in one order, each measured against its own language.

e5's cosines are higher within a language than across two, by more than a good passage stands out.
Whoever looks for a poem with words of the other language would find every poem of their own first.
What tells is how far a passage stands above the others of its language.
"""

from __future__ import annotations

from collections.abc import Sequence

# A language's background is what is left without these: they may be what was looked for.
_OUTSTANDING = 3
# Of a language with fewer than these beside them nothing is known.
_LEAST_BACKGROUND = 3


def evened(found: Sequence[Sequence[tuple[int, float]]]) -> dict[int, float]:
    """(chunk, cosine), best first, of each language → cosines by chunk, best first, with the
    background of every language brought to the same height."""
    rests = [[cosine for _, cosine in passages[_OUTSTANDING:]] for passages in found]
    everything = [cosine for rest in rests for cosine in rest]
    common = sum(everything) / len(everything) if everything else 0.0
    even = {}
    for passages, rest in zip(found, rests, strict=True):
        known = len(rest) >= _LEAST_BACKGROUND
        above = sum(rest) / len(rest) - common if known else 0.0
        even.update({chunk_id: cosine - above for chunk_id, cosine in passages})
    return dict(sorted(even.items(), key=lambda item: (-item[1], item[0])))
