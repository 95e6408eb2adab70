"""Which model is loaded, and by what."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal

from services.kb.embedder.model import Encoder
from services.kb.embedder.source import Source, find
from services.kernel.errors import ConfigurationError

if TYPE_CHECKING:
    from services.kb.embedder.settings import Settings

EngineName = Literal["auto", "sentence-transformers"]


def loader(settings: Settings) -> Callable[[], Encoder]:
    """What loads the chosen model: seconds, and hundreds of megabytes.

    Raises ConfigurationError when its folder, package or name is not there.
    """
    if settings.api_url:
        return _remote(settings)
    source = find(settings.model, settings.model_path, settings.data_dir / "models")
    return partial(_load, source, settings.engine, settings.threads)


def _remote(settings: Settings) -> Callable[[], Encoder]:
    from services.kb.embedder.remote import Endpoint, load_remote

    if not settings.api_model:
        raise ConfigurationError("KB_EMBEDDING_API_MODEL is needed beside KB_EMBEDDING_API_URL")
    endpoint = Endpoint(
        settings.api_url,
        settings.api_model,
        settings.api_key,
        settings.api_query_prefix,
        settings.api_passage_prefix,
    )
    return partial(load_remote, endpoint)


def _load(source: Source, engine: EngineName, threads: int) -> Encoder:
    """Imports only what the engine needs: torch alone takes seconds and 200 MB."""
    if source.packed is not None and engine == "auto":
        from services.kb.embedder.onnx_encoder import load_onnx

        return load_onnx(source, threads)
    from services.kb.embedder.transformer import load_transformer

    return load_transformer(source, threads)
