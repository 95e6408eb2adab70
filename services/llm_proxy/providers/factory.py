"""From a provider's configuration to its adapter."""

from __future__ import annotations

from collections.abc import Callable

from services.llm_proxy.providers.anthropic import AnthropicProvider
from services.llm_proxy.providers.base import AdapterName, Provider, ProviderConfig
from services.llm_proxy.providers.dashscope_app import DashScopeAppProvider
from services.llm_proxy.providers.deepseek import DeepSeekProvider
from services.llm_proxy.providers.doubao import DoubaoProvider
from services.llm_proxy.providers.local import LocalProvider
from services.llm_proxy.providers.openai_compatible import OpenAiCompatibleProvider
from services.llm_proxy.providers.tongyi import TongyiProvider

_ADAPTERS: dict[AdapterName, Callable[[str, ProviderConfig, str], Provider]] = {
    "openai_compatible": OpenAiCompatibleProvider,
    "doubao": DoubaoProvider,
    "dashscope_app": DashScopeAppProvider,
    "tongyi": TongyiProvider,
    "deepseek": DeepSeekProvider,
    "anthropic": AnthropicProvider,
    "local": LocalProvider,
}


def create_provider(name: str, config: ProviderConfig, user_agent: str) -> Provider:
    """The adapter that `config` names, ready for use."""
    return _ADAPTERS[config.adapter](name, config, user_agent)
