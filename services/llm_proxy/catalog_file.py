"""The form of config/models.yaml, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from services.kernel.errors import ConfigurationError
from services.llm_proxy.configuration import checked, expand, load_yaml, variable_of
from services.llm_proxy.providers.base import FORM, ProviderConfig, TimeoutConfig
from services.llm_proxy.providers.dashscope_app import APPLICATION

FILE = "models.yaml"
_NO_NAMES = ("", "assistant")
_OWN_PATHS = (
    "keys",
    "providers",
    "configuration",
    "feedback",
)  # /api/llm/{provider} would never be reached


class DeploymentConfig(BaseModel):
    """One of several deployments behind a name; `api_key` where it has one of its own."""

    model_config = FORM

    model: str
    weight: Annotated[int, Field(ge=1, le=1000)] = 1
    timeouts: TimeoutConfig | None = None
    api_key: str | None = None


class CatalogFile(BaseModel):
    """The whole file."""

    model_config = FORM

    providers: Annotated[dict[str, ProviderConfig], Field(min_length=1)]
    deployments: dict[str, Annotated[list[DeploymentConfig], Field(min_length=1)]] = {}
    fallbacks: dict[str, Annotated[list[str], Field(min_length=1, max_length=8)]] = {}
    aliases: dict[str, str] = {}
    default: list[str] = []
    default_embedding: str | None = None
    usd_per: dict[str, Annotated[float, Field(gt=0)]] = {}

    def meant(self, name: str) -> str:
        """What an alias stands for; any other name is itself."""
        return self.aliases.get(name, name)

    def provider_of(self, name: str) -> str:
        """The first part of `provider/model`, of a provider's name, or of an alias."""
        return self.meant(name).partition("/")[0]


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


def read_file(
    text: str, environ: Mapping[str, str], stored_keys: Mapping[str, tuple[str, ...]]
) -> CatalogFile:
    """The file's text, checked. Raises ConfigurationError with a line for each problem."""
    raw = load_yaml(text, FILE)
    value = expand(raw, environ)
    if isinstance(raw.get("providers"), dict):
        for raw_name, raw_entry in raw["providers"].items():
            name = expand(raw_name, environ)
            entry = value["providers"].get(name)
            if isinstance(raw_entry, dict) and isinstance(entry, dict):
                _remember_variables(raw_entry, entry)
                _gather_keys(entry, stored_keys.get(name, ()))
    file = checked(CatalogFile, value, FILE)
    checks = (_bad_names, _bad_references, _bad_deployments, _bad_fallbacks, _bad_currencies)
    problems = [f"{FILE}: {problem}" for check in checks for problem in check(file)]
    if problems:
        raise ConfigurationError(*problems)
    return file


def _remember_variables(raw: Mapping[str, Any], entry: dict[str, Any]) -> None:
    """Errors name the variable to set, so its name must outlive the filling in."""
    field: Literal["api_key", "app_id"]
    for field in ("api_key", "app_id"):
        variable = variable_of(raw.get(field))
        if field == "api_key" and variable is None and isinstance(raw.get("api_keys"), list):
            variable = next(filter(None, map(variable_of, raw["api_keys"])), None)
        if variable:
            key = "key_variable" if field == "api_key" else "app_id_variable"
            entry.setdefault(key, variable)


def _gather_keys(entry: dict[str, Any], stored: tuple[str, ...]) -> None:
    """All keys that are set into `api_keys`, the first of them into `api_key` too."""
    listed = entry.get("api_keys", [])
    if not isinstance(listed, list):
        return  # the check of the form will say so, as of keys that are no texts
    given = [key for key in (*stored, entry.get("api_key"), *listed) if key not in (None, "")]
    if not all(isinstance(key, str) for key in given):
        return
    keys = list(dict.fromkeys(given))
    if keys:
        entry["api_key"], entry["api_keys"] = keys[0], keys
    elif listed:
        entry["api_key"], entry["api_keys"] = "", []


def _bad_names(file: CatalogFile) -> Iterator[str]:
    for name in file.providers:
        if name in (*_NO_NAMES, *_OWN_PATHS) or "/" in name:
            yield f"providers.{name}: not a name for a provider"
    for name in file.deployments:
        if name in _NO_NAMES or "/" in name:
            yield f"deployments.{name}: not a name for a model"
        elif name in file.providers or name in file.aliases:
            yield f"deployments.{name}: a provider or an alias has this name"


def _bad_references(file: CatalogFile) -> Iterator[str]:
    for field, names in (("aliases", list(file.aliases.values())), ("default", file.default)):
        for name in names:
            if file.meant(name) not in file.deployments:
                yield from _unknown(file, name, field)


def _bad_deployments(file: CatalogFile) -> Iterator[str]:
    for name, deployments in file.deployments.items():
        for deployment in deployments:
            place = f"deployments.{name}"
            if "/" not in deployment.model:
                yield f"{place}: {deployment.model}: must be provider/model"
            else:
                yield from _unknown(file, deployment.model, place)


def _bad_fallbacks(file: CatalogFile) -> Iterator[str]:
    for name, chain in file.fallbacks.items():
        for link in (name, *chain):
            if file.meant(link) not in file.deployments:
                yield from _unknown(file, link, f"fallbacks.{name}")
        for link in chain:
            config = file.providers.get(file.meant(link))
            if config is not None and default_model(config) is None:
                yield f"fallbacks.{name}: {link}: has no default model, name one"
        yield from _circles(file, name, chain)


def _circles(file: CatalogFile, name: str, chain: list[str]) -> Iterator[str]:
    """A chain that comes back to what has been tried, under whatever name."""
    tried = set(_models_of(file, name))
    for link in chain:
        models = set(_models_of(file, link))
        if models & tried:
            yield f"fallbacks.{name}: {link}: goes in a circle"
        tried |= models


def _models_of(file: CatalogFile, name: str) -> Iterator[str]:
    """Each `provider/model` behind a name."""
    meant = file.meant(name)
    if meant in file.deployments:
        yield from (deployment.model for deployment in file.deployments[meant])
    elif "/" in meant:
        yield meant
    elif meant in file.providers:
        yield f"{meant}/{default_model(file.providers[meant]) or ''}"


def _unknown(file: CatalogFile, name: str, place: str) -> Iterator[str]:
    if file.provider_of(name) not in file.providers:
        yield f"{place}: {name}: there is no such provider"


def _bad_currencies(file: CatalogFile) -> Iterator[str]:
    used = {
        model.price.currency
        for config in file.providers.values()
        for model in config.models.values()
        if model.price is not None
    }
    for currency in sorted(used - {"USD", *file.usd_per}):
        yield f"usd_per.{currency}: a price uses this currency"
