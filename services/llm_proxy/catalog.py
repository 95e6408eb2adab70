"""config/models.yaml: providers, models, prices, aliases; which call goes where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.kernel.errors import ConfigurationError, NotFound
from services.llm_proxy.configuration import checked, expand, load_yaml, variable_of
from services.llm_proxy.providers.base import (
    ModelConfig,
    Price,
    Provider,
    ProviderConfig,
    Usage,
    missing_variable,
)
from services.llm_proxy.providers.dashscope_app import APPLICATION
from services.llm_proxy.providers.factory import create_provider

FILE = "models.yaml"


class CatalogFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid")

    providers: Annotated[dict[str, ProviderConfig], Field(min_length=1)]
    aliases: dict[str, str] = {}
    default: list[str] = []
    default_embedding: str | None = None
    usd_per: dict[str, Annotated[float, Field(gt=0)]] = {}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes. `listed` is false for a model that models.yaml does not name."""

    provider: Provider
    model: str
    price: Price | None
    usd_per_unit: float
    listed: bool
    languages: tuple[str, ...] = ()
    max_passages: int | None = None

    def speaks(self, language: str) -> bool:
        """Whether assistants may have the model answer in a language; all, when none is named."""
        return not self.languages or language in self.languages

    @property
    def label(self) -> str:
        """The model's name for metrics: bounded in number, whatever callers send."""
        return self.model if self.listed else "other"

    def cost_usd(self, usage: Usage) -> float | None:
        """What the call costs by the price table; None without a price."""
        if self.price is None:
            return None
        cached_price = self.price.cached_input
        cached = usage.cached_input_tokens if cached_price is not None else 0
        total = (
            (usage.input_tokens - cached) * self.price.input
            + cached * (cached_price or 0.0)
            + usage.output_tokens * self.price.output
        )
        return total / 1_000_000 * self.usd_per_unit


class Catalog:
    """What models.yaml says, ready to be asked."""

    def __init__(self, file: CatalogFile, user_agent: str) -> None:
        self._file = file
        self._rates = {"USD": 1.0, **file.usd_per}
        self.providers: dict[str, Provider] = {
            name: create_provider(name, config, user_agent)
            for name, config in file.providers.items()
        }

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
        """`provider/model`, an alias, or None for the default. Raises NotFound.

        `trusted` callers may use any model of a provider's account, others what is listed.
        """
        name = self._file.aliases.get(model, model) if model else self._default()
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
        listed = config.models.get(wanted)
        known = listed is not None or wanted == default_model(config)
        if not (known or trusted or config.any_model):
            message = f"Provider {provider.name} has no model {_shown(wanted)}."
            raise NotFound(message, param="model", provider=provider.name)
        price = listed.price if listed else None
        rate = self._rates[price.currency] if price else 1.0
        if listed is None:
            return Target(provider, wanted, price, rate, known)
        languages = tuple(listed.languages or ())
        return Target(provider, wanted, price, rate, known, languages, listed.max_passages)

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
        """(alias, owner) of each alias whose provider can be used now."""
        usable = {name for name, _ in self.chat_models()}
        pairs = self._file.aliases.items()
        return [(a, name.partition("/")[0]) for a, name in pairs if name in usable]

    def _default(self) -> str:
        """The first candidate whose provider has its key."""
        for candidate in self._file.default:
            name = self._file.aliases.get(candidate, candidate).rstrip("/")
            provider = self.providers.get(name.partition("/")[0])
            if provider is not None and missing_variable(provider.config) is None:
                return name if "/" in name else f"{name}/{default_model(provider.config) or ''}"
        raise NotFound("No model is configured: set a provider's key.", param="model")


def default_model(config: ProviderConfig) -> str | None:
    """The provider's default model: the one it names, else its first for chats."""
    if config.default_model:
        return config.default_model
    if config.adapter == "dashscope_app":
        return APPLICATION
    return next(iter(chat_models(config)), None)


def chat_models(config: ProviderConfig) -> list[str]:
    """The provider's models for chats, its default first."""
    listed = [name for name, model in config.models.items() if model.kind == "chat"]
    first = config.default_model or (APPLICATION if config.adapter == "dashscope_app" else None)
    return [first, *(name for name in listed if name != first)] if first else listed


def parse_catalog(text: str, environ: Mapping[str, str], user_agent: str) -> Catalog:
    """The file's text as a catalog. Raises ConfigurationError with a line for each problem."""
    raw = load_yaml(text, FILE)
    value = expand(raw, environ)
    if isinstance(raw.get("providers"), dict):
        for name, entry in raw["providers"].items():
            _remember_variables(entry, value["providers"].get(expand(name, environ)))
    file = checked(CatalogFile, value, FILE)
    problems = [*_bad_names(file), *_bad_references(file), *_bad_currencies(file)]
    if problems:
        raise ConfigurationError(*problems)
    return Catalog(file, user_agent)


def _remember_variables(raw: Any, entry: Any) -> None:
    """Errors name the variable to set, so its name must outlive the filling in."""
    if isinstance(raw, dict) and isinstance(entry, dict):
        field: Literal["api_key", "app_id"]
        for field in ("api_key", "app_id"):
            variable = variable_of(raw.get(field))
            if variable:
                key = "key_variable" if field == "api_key" else "app_id_variable"
                entry.setdefault(key, variable)


def _bad_names(file: CatalogFile) -> list[str]:
    names = [name for name in file.providers if not name or "/" in name or name == "assistant"]
    return [f"{FILE}: providers.{name}: not a name for a provider" for name in names]


def _bad_references(file: CatalogFile) -> list[str]:
    problems = []
    for field, names in (("aliases", list(file.aliases.values())), ("default", file.default)):
        for name in names:
            provider = file.aliases.get(name, name).partition("/")[0]
            if provider not in file.providers:
                problems.append(f"{FILE}: {field}: {name}: there is no such provider")
    return problems


def _bad_currencies(file: CatalogFile) -> list[str]:
    used = {
        model.price.currency
        for config in file.providers.values()
        for model in config.models.values()
        if model.price is not None
    }
    missing = sorted(used - {"USD", *file.usd_per})
    return [f"{FILE}: usd_per.{currency}: a price uses this currency" for currency in missing]


def _shown(name: str) -> str:
    """A caller's word in an error: short, on one line."""
    return repr("".join(c for c in name[:80] if c.isprintable()))


__all__ = ["Catalog", "ModelConfig", "Target", "parse_catalog"]
