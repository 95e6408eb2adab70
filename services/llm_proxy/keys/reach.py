"""What a virtual key reaches of a target: of its deployments, and of what stands in for them.

A chain of fallbacks says what may stand in, never who may use it: what a key does not allow is left
out for its calls, as is what has no price where the key has a budget.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from services.kernel.errors import PermissionDenied
from services.llm_proxy.keys.key import Key
from services.llm_proxy.target import Target, Tier

_NOT_ALLOWED = "The key does not allow this model."
_NO_PRICE = "The key has a budget, and models.yaml gives no price for this model."
# Whether a key reaches a deployment of the tier with this number.
_Keeps = Callable[[int, Tier, Target], bool]


def reached(key: Key, asked: object, target: Target) -> Target:
    """`target` as far as the key's models and its budget reach; `asked` is the caller's own word.

    Raises PermissionDenied where nothing of what was asked for is left.
    """
    if not key.models:
        return affordable(key, target)
    own = (asked,) if isinstance(asked, str) else ()

    def allows(number: int, tier: Tier, one: Target) -> bool:
        return key.allows(tier.name, one.name, *(() if number else own))

    return affordable(key, _narrowed(target, allows, _NOT_ALLOWED))


def affordable(key: Key, target: Target) -> Target:
    """`target` without what has no price, where the key has a budget: money that is not counted
    cannot be limited. Raises PermissionDenied where nothing of what was asked for is left."""
    if not key.has_budget or (target.price is not None and not target.tiers):
        return target
    return _narrowed(target, lambda _number, _tier, one: one.price is not None, _NO_PRICE)


def _narrowed(target: Target, keeps: _Keeps, refusal: str) -> Target:
    """`target` itself where all of it is kept."""
    tiers, kept, left_out = target.tiers or (Tier(target.name, (target,)),), [], 0
    for number, tier in enumerate(tiers):
        targets = tuple(one for one in tier.targets if keeps(number, tier, one))
        if not (targets or number):
            raise PermissionDenied(refusal, param="model")
        left_out += len(tier.targets) - len(targets)
        if targets:
            kept.append(Tier(tier.name, targets))
    if not left_out:
        return target
    first = kept[0].targets[0]
    alone = len(kept) == 1 and len(kept[0].targets) == 1
    return first if alone else replace(first, tiers=tuple(kept), lanes=[])
