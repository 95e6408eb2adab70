"""What models.yaml and assistants.yaml say, as it was loaded: `GET /api/llm/configuration`.

Nothing of a key is in it. Addresses lose what may be a credential, headers their values.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from services.kernel.errors import NotFound
from services.kernel.routing import Call
from services.kernel.setting_table import without_credential
from services.llm_proxy.assistants import Assistant, Words
from services.llm_proxy.catalog import Catalog, default_model
from services.llm_proxy.catalog_file import DeploymentConfig
from services.llm_proxy.providers.base import ModelConfig, Price, Provider, missing_variable
from services.llm_proxy.state import State


class LoadedModel(BaseModel):
    """One model of a provider. Prices are per million tokens, in `price.currency`."""

    name: str
    kind: Literal["chat", "embedding"]
    price: Price | None
    max_tokens: int | None
    context_tokens: int | None
    languages: list[str] = Field(description="Of questions it answers for assistants; empty: all.")


class LoadedProvider(BaseModel):
    name: str
    adapter: str
    base_url: str = Field(description="Without user, password and query.")
    configured: bool
    set_variable: str | None = Field(description="What to set where it is not configured.")
    keys: int = Field(description="How many keys take turns; of .env and of the database.")
    default_model: str | None
    any_model: bool = Field(description="Whether models may be used that are not listed.")
    header_names: list[str]
    models: list[LoadedModel]


class LoadedDeployment(BaseModel):
    model: str
    weight: int
    own_key: bool


class LoadedAssistant(BaseModel):
    """One assistant. `min_score`, `model`, `rewrite_model` are null where the default holds."""

    name: str
    collection: str
    top_k: int
    min_score: float | None
    model: str | None
    rewrite_model: str | None
    max_tokens: int
    temperature: float
    max_passage_characters: int
    max_question_characters: int
    max_history_messages: int
    max_history_characters: int
    prompt: Words
    question: Words
    nothing_found: Words
    quoted: Words


class FileState(BaseModel):
    """`problem`: what is wrong with the file on disk, while an older one is in force; else null."""

    problem: str | None


class LoadedConfiguration(BaseModel):
    """`default`: what answers when no model is named; null: nothing can."""

    models_file: FileState
    assistants_file: FileState
    default: str | None
    default_order: list[str]
    default_embedding: str | None
    aliases: dict[str, str]
    deployments: dict[str, list[LoadedDeployment]]
    fallbacks: dict[str, list[str]]
    providers: list[LoadedProvider]
    assistants: list[LoadedAssistant]


async def show_configuration(call: Call[State]) -> LoadedConfiguration:
    """Models and assistants as they were loaded, without keys"""
    catalog, file = call.state.catalog.current, call.state.catalog.current.file
    return LoadedConfiguration(
        models_file=FileState(problem=call.state.catalog.check().detail or None),
        assistants_file=FileState(problem=call.state.assistants.check().detail or None),
        default=_default(catalog),
        default_order=file.default,
        default_embedding=file.default_embedding,
        aliases=file.aliases,
        deployments={name: [_deployment(one) for one in d] for name, d in file.deployments.items()},
        fallbacks=file.fallbacks,
        providers=[_provider(one) for one in catalog.providers.values()],
        assistants=[_assistant(one) for one in call.state.assistants.current.all],
    )


def _default(catalog: Catalog) -> str | None:
    try:
        return catalog.resolve(None).name
    except NotFound:
        return None


def _deployment(config: DeploymentConfig) -> LoadedDeployment:
    own = bool(config.api_key)
    return LoadedDeployment(model=config.model, weight=config.weight, own_key=own)


def _provider(provider: Provider) -> LoadedProvider:
    config = provider.config
    missing = missing_variable(config)
    return LoadedProvider(
        name=provider.name,
        adapter=config.adapter,
        base_url=without_credential(config.base_url),
        configured=missing is None,
        set_variable=missing,
        keys=len(config.api_keys),
        default_model=default_model(config),
        any_model=config.any_model,
        header_names=sorted(config.headers),
        models=[_model(name, model) for name, model in config.models.items()],
    )


def _model(name: str, model: ModelConfig) -> LoadedModel:
    return LoadedModel(
        name=name,
        kind=model.kind,
        price=model.price,
        max_tokens=model.max_tokens,
        context_tokens=model.context_tokens,
        languages=list(model.languages or ()),
    )


def _assistant(assistant: Assistant) -> LoadedAssistant:
    return LoadedAssistant(name=assistant.name, **assistant.config.model_dump())
