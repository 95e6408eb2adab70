"""config/models.yaml at work: providers, models, prices, deployments; which call goes where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from services.kernel.errors import NotFound
from services.llm_proxy.catalog_file import (
    CatalogFile,
    DeploymentConfig,
    chat_models,
    default_model,
    read_file,
)
from services.llm_proxy.providers.base import (
    ModelConfig,
    Provider,
    ProviderConfig,
    TimeoutConfig,
    missing_variable,
)
from services.llm_proxy.providers.factory import create_provider
from services.llm_proxy.target import Target, Tier

OWN_NAMES = "trivet"  # who owns a name that stands for several deployments
_PLAIN = ModelConfig()
_NO_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


class Catalog:
    """What models.yaml says, ready to be asked."""

    def __init__(self, file: CatalogFile, user_agent: str) -> None:
        self._file = file
        self._user_agent = user_agent
        self._rates = {"USD": 1.0, **file.usd_per}
        self._keyed = {
            name: self._with_each_key(name, config) for name, config in file.providers.items()
        }
        self.providers: dict[str, Provider] = {
            name: keyed[0] for name, keyed in self._keyed.items()
        }
        self._fallbacks = {file.meant(name): chain for name, chain in file.fallbacks.items()}
        self._shared = {name: self._tier(name, every) for name, every in file.deployments.items()}
        self._targets: dict[str, Target] = {}  # those with names of the file, made when first used

    @property
    def file(self) -> CatalogFile:
        """The file as it was read; it holds keys, so what shows it must choose."""
        return self._file

    def provider(self, name: str) -> Provider:
        """The provider of this name. Raises NotFound."""
        found = self.providers.get(name)
        if found is None:
            raise NotFound(f"There is no provider {_shown(name)}.", param="provider")
        return found

    def provider_for(self, adapter: str) -> Provider:
        """The first provider of an adapter, by the order of the file. Raises NotFound."""
        for provider in self.providers.values():
            if provider.config.adapter == adapter:
                return provider
        raise NotFound("No provider for this call is configured.")

    def resolve(self, model: str | None, *, trusted: bool = False) -> Target:
        """`provider/model`, an alias, several deployments' name, or None for the default.

        `trusted` callers may use any model of a provider's account, others what is listed.
        Raises NotFound.
        """
        name = self._file.meant(model) if model else self._default()
        known = self._targets.get(name)
        if known is not None:
            return known
        if name in self._shared:
            return self._deployed(name)
        provider_name, slash, rest = name.partition("/")
        if not slash or provider_name not in self.providers:
            message = f"There is no model {_shown(name)}. GET /v1/models lists them."
            raise NotFound(message, param="model")
        return self.within(self.providers[provider_name], rest, trusted=trusted)

    def within(self, provider: Provider, model: str | None, *, trusted: bool = False) -> Target:
        """A model of one provider; None is the provider's default. Raises NotFound."""
        config = provider.config
        wanted = (model or "").removeprefix(f"{provider.name}/") or default_model(config)
        if wanted is None:
            message = f"Provider {provider.name} has no default model: name one."
            raise NotFound(message, param="model", provider=provider.name)
        name = f"{provider.name}/{wanted}"
        known = self._targets.get(name)
        if known is not None:
            return known
        listed = wanted in config.models or wanted == default_model(config)
        if not (listed or trusted or config.any_model):
            message = f"Provider {provider.name} has no model {_shown(wanted)}."
            raise NotFound(message, param="model", provider=provider.name)
        target = self._with_stand_ins(self._target(provider, wanted), name, provider.name)
        if listed:
            self._targets[name] = target
        return target

    def embedding(self, model: str | None) -> Target:
        """A model for embeddings; None is the default one. Raises NotFound."""
        name = model or self._file.default_embedding
        if name is None:
            raise NotFound("No model for embeddings is configured.", param="model")
        return self.resolve(name, trusted=True)

    def chat_models(self) -> list[tuple[str, str]]:
        """(`provider/model`, owner) of each chat model that can be used now."""
        return [
            (f"{name}/{model}", name)
            for name, provider in self.providers.items()
            if missing_variable(provider.config) is None
            for model in chat_models(provider.config)
        ]

    def aliases(self) -> list[tuple[str, str]]:
        """(name, owner) of each short name that can be used now."""
        shared = [(name, OWN_NAMES) for name, tier in self._shared.items() if _usable(tier)]
        usable = {name for name, _ in (*self.chat_models(), *shared)}
        pairs = self._file.aliases.items()
        named = [(a, name.partition("/")[0]) for a, name in pairs if name in usable]
        return [*named, *shared]

    def targets(self, provider: str) -> list[Target]:
        """Every deployment of a provider that the file names, for what shows their state."""
        own = self.providers[provider]
        listed = [self.within(own, model) for model in chat_models(own.config)]
        shared = [target for tier in self._shared.values() for target in tier.targets]
        return [*listed, *(target for target in shared if target.provider.name == provider)]

    def _default(self) -> str:
        """The first candidate whose provider has its key."""
        for candidate in self._file.default:
            name = self._file.meant(candidate).rstrip("/")
            if name in self._shared:
                if _usable(self._shared[name]):
                    return name
                continue
            provider = self.providers.get(name.partition("/")[0])
            if provider is not None and missing_variable(provider.config) is None:
                return name if "/" in name else f"{name}/{default_model(provider.config) or ''}"
        raise NotFound("No model is configured: set a provider's key.", param="model")

    # -- deployments and those that stand in for them ---------------------------------------------

    def _deployed(self, name: str) -> Target:
        """The first of several deployments, with the others beside it."""
        tier = self._shared[name]
        chain = self._chain(self._fallbacks.get(name, []), tier.targets)
        target = replace(tier.targets[0], tiers=(tier, *chain), lanes=[])
        self._targets[name] = target
        return target

    def _with_stand_ins(self, target: Target, name: str, provider: str) -> Target:
        """The target with its chain of fallbacks: its own, or its provider's."""
        links = self._fallbacks.get(name) or self._fallbacks.get(provider, [])
        chain = self._chain(links, (target,))
        if not chain:
            return target
        return replace(target, tiers=(Tier(target.name, (target,)), *chain), lanes=[])

    def _chain(self, links: Iterable[str], own: tuple[Target, ...]) -> list[Tier]:
        """A tier for each link that has its key and holds something else than `own`."""
        names = {target.name for target in own}
        tiers = [self._link(self._file.meant(link)) for link in links]
        return [t for t in tiers if _usable(t) and not names & {one.name for one in t.targets}]

    def _link(self, name: str) -> Tier:
        if name in self._shared:
            return self._shared[name]
        provider_name, _, model = name.partition("/")
        provider = self.providers[provider_name]
        target = self._target(provider, model or default_model(provider.config) or "")
        return Tier(target.name, (replace(target, listed=True, lanes=[]),))

    def _tier(self, name: str, deployments: list[DeploymentConfig]) -> Tier:
        """The deployments behind a name that have their keys; all, where none has."""
        targets = [self._deployment(config) for config in deployments]
        usable = [one for one in targets if missing_variable(one.provider.config) is None]
        return Tier(name, tuple(usable or targets))

    def _deployment(self, config: DeploymentConfig) -> Target:
        provider_name, _, model = config.model.partition("/")
        target = self._target(self.providers[provider_name], model, config.timeouts, config.api_key)
        return replace(target, weight=config.weight, listed=True, lanes=[])

    def _target(
        self,
        provider: Provider,
        model: str,
        timeouts: TimeoutConfig | None = None,
        api_key: str | None = None,
    ) -> Target:
        config = provider.config
        entry = config.models.get(model) or _PLAIN
        price = entry.price
        own_times = config.timeouts.changed_by(entry.timeouts).changed_by(timeouts)
        keyed = self._keyed[provider.name]
        if own_times is not config.timeouts or api_key is not None:
            config = config.model_copy(update={"timeouts": own_times})
            if api_key is not None:
                config = config.model_copy(update={"api_key": api_key, "api_keys": (api_key,)})
            keyed = self._with_each_key(provider.name, config)
        return Target(
            provider=keyed[0],
            model=model,
            price=price,
            usd_per_unit=self._rates[price.currency] if price else 1.0,
            listed=model in config.models or model == default_model(config),
            languages=tuple(entry.languages or ()),
            max_passages=entry.max_passages,
            own_context_tokens=entry.context_tokens,
            keyed=keyed,
        )

    def _with_each_key(self, name: str, config: ProviderConfig) -> tuple[Provider, ...]:
        """The provider once for each of its keys; a provider without any is one, too."""
        keys = config.api_keys or (config.api_key,)
        configs = (config.model_copy(update={"api_key": key}) for key in keys)
        return tuple(create_provider(name, one, self._user_agent) for one in configs)


def parse_catalog(
    text: str,
    environ: Mapping[str, str],
    user_agent: str,
    stored_keys: Mapping[str, tuple[str, ...]] = _NO_KEYS,
) -> Catalog:
    """The file's text as a catalog; `stored_keys` are more keys by the provider's name.

    Raises ConfigurationError with a line for each problem.
    """
    return Catalog(read_file(text, environ, stored_keys), user_agent)


def _usable(tier: Tier) -> bool:
    return any(missing_variable(target.provider.config) is None for target in tier.targets)


def _shown(name: str) -> str:
    """A caller's word in an error: short, on one line."""
    return repr("".join(c for c in name[:80] if c.isprintable()))


__all__ = ["Catalog", "ModelConfig", "Target", "chat_models", "default_model", "parse_catalog"]
