"""Settings of the local model's process."""

from __future__ import annotations

from dataclasses import dataclass

from services.kernel.settings import CommonSettings, setting


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """What `python -m services.llm_proxy.local_model` reads."""

    model_path: str = setting(
        "LLM_PROXY_LOCAL_MODEL_PATH",
        "",
        "Path of another chat model (GGUF). Empty: SmolLM2-135M-Instruct, which is installed.",
    )
    model_name: str = setting(
        "LLM_PROXY_LOCAL_MODEL_NAME", "smollm2-135m", "Name under which the local model answers."
    )
    context_tokens: int = setting(
        "LLM_PROXY_LOCAL_MODEL_CONTEXT_TOKENS",
        4096,
        "Tokens that all running chats of the local model share; 23 KB of memory each.",
        minimum=512,
        maximum=131_072,
    )
    threads: int = setting(
        "LLM_PROXY_LOCAL_MODEL_THREADS",
        0,
        "Threads that the local model computes on. 0: half as many as cores, at most four.",
        minimum=0,
        maximum=256,
    )
    slots: int = setting(
        "LLM_PROXY_LOCAL_MODEL_SLOTS",
        2,
        "Chats that the local model answers at the same time; more wait.",
        minimum=1,
        maximum=64,
    )
