"""Where a call goes: a model at a provider, and what may answer in its place."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING
from urllib.parse import quote

from services.llm_proxy.providers.base import Price, Provider, Usage

if TYPE_CHECKING:
    from services.llm_proxy.resilience.lane import Lane

UNLISTED = "other"  # the one label of all models that models.yaml does not name


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """One deployment: a model at a provider.

    `listed` is false for a model that models.yaml does not name. `keyed` is the provider once for
    each of its keys. `tiers` is empty where nothing else may answer; else the first tier holds the
    deployments among which a call is shared, and each further one those that stand in for it.
    """

    provider: Provider
    model: str
    price: Price | None
    usd_per_unit: float
    listed: bool
    languages: tuple[str, ...] = ()
    max_passages: int | None = None
    own_context_tokens: int | None = None
    keyed: tuple[Provider, ...] = ()
    weight: int = 1
    tiers: tuple[Tier, ...] = ()
    lanes: list[Lane] = field(default_factory=list)  # filled by the fleet when first used

    def speaks(self, language: str) -> bool:
        """Whether assistants may have the model answer in a language; all, when none is named."""
        return not self.languages or language in self.languages

    @property
    def name(self) -> str:
        """`provider/model`."""
        return f"{self.provider.name}/{self.model}"

    @property
    def label(self) -> str:
        """The model's name for metrics: bounded in number, whatever callers send."""
        return self.model if self.listed else UNLISTED

    @property
    def context_tokens(self) -> int | None:
        """The smallest context of all models that may answer; None where none is known."""
        every = (self, *(target for tier in self.tiers for target in tier.targets))
        known = [one.own_context_tokens for one in every if one.own_context_tokens is not None]
        return min(known, default=None)

    @property
    def alone(self) -> Target:
        """The same without stand-ins, for what no other model can answer."""
        return replace(self, tiers=self.tiers[:1], lanes=[]) if self.tiers else self

    def cost_usd(self, usage: Usage) -> float | None:
        """What the call costs by the price table; None without a price."""
        price = self.price
        if price is None:
            return None
        cost = usage.input_tokens * price.input + usage.output_tokens * price.output
        if price.cached_input is not None:
            cached = min(usage.cached_input_tokens, usage.input_tokens)
            cost += cached * (price.cached_input - price.input)
        if price.cache_write is not None:
            written = min(usage.cache_write_tokens, usage.input_tokens)
            cost += written * (price.cache_write - price.input)
        if price.reasoning is not None:
            reasoning = min(usage.reasoning_tokens, usage.output_tokens)
            cost += reasoning * (price.reasoning - price.output)
        return cost / 1_000_000 * self.usd_per_unit


@dataclass(frozen=True, slots=True, eq=False)
class Tier:
    """Deployments that are as good as each other, under the name that is asked for."""

    name: str
    targets: tuple[Target, ...]


def header_value(name: str) -> bytes:
    """A model's name for a header: what does not fit in one is percent-encoded."""
    plain = name.isascii() and name.isprintable()
    return (name if plain else quote(name, safe="/:@ ")).encode("ascii")


def key_mark(key: str | None) -> str:
    """Tells keys apart without holding one."""
    return blake2b((key or "").encode(), digest_size=8).hexdigest()
