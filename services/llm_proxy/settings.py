"""The settings of llm_proxy. Vendors' keys are read by config/models.yaml, under the names here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.kernel import VERSION
from services.kernel.errors import ConfigurationError
from services.kernel.settings import CommonSettings, read_settings, setting


def _secret(name: str, what: str) -> str:
    """A variable that only models.yaml uses; it stands here so that it is documented."""
    row: str = setting(name, "", f"{what} Empty: the provider is off.", secret=True)
    return row


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """What llm_proxy reads from the environment."""

    anonymous: Literal["", "all", "assistants", "off"] = setting(
        "LLM_PROXY_ANONYMOUS",
        "",
        "Who may chat without a credential: with all models, only with assistants, or nobody (off)."
        " Empty: all on a trial machine, assistants once DOMAIN is set.",
    )
    anonymous_chats_per_minute: int = setting(
        "LLM_PROXY_ANONYMOUS_CHATS_PER_MINUTE",
        60,
        "Chats a minute from one address without a key, over all instances.",
        minimum=1,
    )
    models_file: Path = setting(
        "LLM_PROXY_MODELS_FILE",
        Path("config/models.yaml"),
        "Providers, models, prices and aliases; taken anew when it changes.",
    )
    assistants_file: Path = setting(
        "LLM_PROXY_ASSISTANTS_FILE",
        Path("config/assistants.yaml"),
        "Assistants: prompt, collection, thresholds; taken anew when it changes.",
    )
    reload_seconds: float = setting(
        "LLM_PROXY_RELOAD_SECONDS",
        2.0,
        "How often the two files are looked at, in seconds.",
        minimum=0.05,
    )
    heartbeat_seconds: float = setting(
        "LLM_PROXY_HEARTBEAT_SECONDS",
        10.0,
        "In a silent stream a comment is sent this often, so that no proxy on the way gives up.",
        minimum=0.05,
    )
    kb_timeout_seconds: float = setting(
        "LLM_PROXY_KB_TIMEOUT_SECONDS",
        15.0,
        "How long an assistant waits for a search.",
        minimum=0.1,
    )
    max_connections: int = setting(
        "LLM_PROXY_MAX_CONNECTIONS",
        4096,
        "Most connections to one upstream at once; above it calls get 503.",
        minimum=1,
    )
    workflows_dir: Path = setting(
        "LLM_PROXY_WORKFLOWS_DIR",
        Path("config/workflows"),
        "Folder of workflows and of their prompts; taken anew when something in it changes.",
    )
    workflow_api_key: str = setting(
        "LLM_PROXY_WORKFLOW_API_KEY",
        "",
        "Virtual key with which workflows call models, so that its limits and budget hold for them."
        " Empty: the service token, without limits.",
        secret=True,
    )
    workflow_fast_model: str = setting(
        "LLM_PROXY_WORKFLOW_FAST_MODEL",
        "",
        "Model that translates, by its name in models.yaml. Empty: the default model.",
    )
    workflow_reasoning_model: str = setting(
        "LLM_PROXY_WORKFLOW_REASONING_MODEL",
        "",
        "Model that reviews translations, and does all steps in the mode reasoning. Empty: the"
        " default model.",
    )
    workflow_briefing_model: str = setting(
        "LLM_PROXY_WORKFLOW_BRIEFING_MODEL",
        "",
        "Model that writes background briefings. Empty: the default model.",
    )
    workflow_makes_briefings: bool = setting(
        "LLM_PROXY_WORKFLOW_MAKES_BRIEFINGS",
        True,
        "Whether a translation first makes a briefing of a poem that has none.",
    )
    workflow_lease_seconds: float = setting(
        "LLM_PROXY_WORKFLOW_LEASE_SECONDS",
        15.0,
        "After this long another instance goes on with the tasks of one that died.",
        minimum=0.5,
        maximum=600,
    )
    workflow_heartbeat_seconds: float = setting(
        "LLM_PROXY_WORKFLOW_HEARTBEAT_SECONDS",
        5.0,
        "In a silent stream of a task's events a heartbeat is sent this often.",
        minimum=0.05,
    )
    workflow_kb_patience_seconds: float = setting(
        "LLM_PROXY_WORKFLOW_KB_PATIENCE_SECONDS",
        300.0,
        "How long a task waits for kb to come back before it fails.",
        minimum=0,
    )
    workflow_retention_days: int = setting(
        "LLM_PROXY_WORKFLOW_RETENTION_DAYS",
        365,
        "After this long ended tasks are deleted; what kb keeps of them stays. 0: never.",
        minimum=0,
    )
    user_agent: str = setting(
        "LLM_PROXY_USER_AGENT", f"Trivet/{VERSION}", "The User-Agent that vendors see."
    )
    fernet_key: str = setting(
        "FERNET_KEY",
        "",
        "Encrypts providers' keys that are stored in the database; several separated by commas: the"
        " first encrypts, all decrypt. Empty: providers' keys come from here alone.",
        secret=True,
    )
    visitor_token_seconds: int = setting(
        "LLM_PROXY_VISITOR_TOKEN_SECONDS",
        900,
        "How long a visitor's token, got for a publishable key, is good.",
        minimum=10,
        maximum=86400,
    )
    doubao_api_key: str = _secret("DOUBAO_API_KEY", "Key of Volcengine Ark.")
    doubao_base_url: str = setting(
        "DOUBAO_BASE_URL", "https://ark.cn-beijing.volces.com/api/v3", "Address of Ark's API."
    )
    doubao_model: str = setting(
        "DOUBAO_MODEL", "doubao-1-5-thinking-vision-pro-250428", "Doubao's default model."
    )
    dashscope_api_key: str = _secret("DASHSCOPE_API_KEY", "Key of Alibaba Cloud's DashScope.")
    dashscope_app_id: str = setting(
        "DASHSCOPE_APP_ID", "", "Id of the DashScope application. Empty: there is none."
    )
    dashscope_base_url: str = setting(
        "DASHSCOPE_BASE_URL", "https://dashscope.aliyuncs.com/api/v1", "Address of DashScope's API."
    )
    tongyi_base_url: str = setting(
        "TONGYI_BASE_URL",
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        "Address of DashScope's API in OpenAI's shape.",
    )
    deepseek_api_key: str = _secret("DEEPSEEK_API_KEY", "Key of DeepSeek.")
    deepseek_base_url: str = setting(
        "DEEPSEEK_BASE_URL", "https://api.deepseek.com", "Address of DeepSeek's API."
    )
    openai_api_key: str = _secret("OPENAI_API_KEY", "Key of OpenAI, or of a compatible server.")
    openai_base_url: str = setting(
        "OPENAI_BASE_URL",
        "https://api.openai.com/v1",
        "Address of OpenAI's API, or of a compatible server.",
    )
    anthropic_api_key: str = _secret("ANTHROPIC_API_KEY", "Key of Anthropic.")
    anthropic_base_url: str = setting(
        "ANTHROPIC_BASE_URL", "https://api.anthropic.com/v1", "Address of Anthropic's API."
    )

    @property
    def database_path(self) -> Path:
        return self.data_dir / "llm_proxy.db"

    @property
    def app_sessions_path(self) -> Path:
        """Where the sessions of DashScope's applications are remembered; a cache."""
        return self.data_dir / "app_sessions.db"

    @property
    def migration_lock_path(self) -> Path:
        return self.data_dir / "llm_proxy.lock"

    @property
    def limits_dir(self) -> Path:
        """Where the instances count together."""
        return self.data_dir / "limits"

    @property
    def anonymous_access(self) -> Literal["all", "assistants", "off"]:
        """Who may chat without a credential, the default worked out."""
        if self.anonymous:
            return self.anonymous
        return "assistants" if self.domain else "all"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Raises ConfigurationError naming every bad variable."""
        settings = read_settings(cls, environ)
        if not (settings.user_agent.isascii() and settings.user_agent.isprintable()):
            raise ConfigurationError("LLM_PROXY_USER_AGENT: must be printable ASCII on one line")
        return settings
