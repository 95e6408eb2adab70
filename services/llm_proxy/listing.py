"""What there is: models for everyone, providers for the administrator."""

from __future__ import annotations

from services.kernel.auth import VISITOR
from services.kernel.routing import Call
from services.llm_proxy.assistants import PREFIX
from services.llm_proxy.catalog import Catalog, chat_models, default_model
from services.llm_proxy.providers.base import Provider, missing_variable
from services.llm_proxy.resilience.fleet import Fleet
from services.llm_proxy.resilience.report import deployments, health_of
from services.llm_proxy.schemas import ModelItem, ModelList, ProviderItem, ProviderList
from services.llm_proxy.state import State

CREATED = 1763769600  # OpenAI's field wants a time; the models here have none worth telling


async def list_models(call: Call[State]) -> ModelList:
    """Chat models, then aliases, then assistants, as far as the caller may use them"""
    state = call.state
    catalog = state.catalog.current
    if call.caller == VISITOR:
        state.gate.require_open(assistant=True)
    named = catalog.chat_models() + catalog.aliases()
    named += [(PREFIX + name, "trivet") for name in state.assistants.current.names]
    items = [
        ModelItem(id=name, created=CREATED, owned_by=owner)
        for name, owner in named
        if state.gate.lists(call.context, name)
    ]
    return ModelList(data=items)


async def list_providers(call: Call[State]) -> ProviderList:
    """Providers: what is configured, how the last call went, and what cools down"""
    catalog, fleet = call.state.catalog.current, call.state.dispatcher.fleet
    items = [_described(provider, catalog, fleet) for provider in catalog.providers.values()]
    return ProviderList(instance=call.state.settings.instance, items=items)


def _described(provider: Provider, catalog: Catalog, fleet: Fleet) -> ProviderItem:
    missing = missing_variable(provider.config)
    health = health_of(fleet, provider.name)
    return ProviderItem(
        name=provider.name,
        adapter=provider.config.adapter,
        configured=missing is None,
        set_variable=missing,
        default_model=default_model(provider.config),
        models=chat_models(provider.config),
        reachable=health.reachable,
        last_error=health.last_error,
        keys=len(provider.config.api_keys),
        deployments=deployments(fleet, catalog.targets(provider.name)),
    )
