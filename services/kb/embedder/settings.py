"""What the embedder reads from the environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.kb.embedder.loading import EngineName
from services.kb.embedder.source import ModelName
from services.kernel.settings import CommonSettings, setting


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """The embedder's own settings beside the common ones."""

    model: ModelName = setting(
        "KB_MODEL",
        "multilingual-e5-small",
        "Packaged embedding model: multilingual-e5-small, or all-MiniLM-L6-v2 for English only.",
    )
    model_path: Path | None = setting(
        "KB_MODEL_PATH",
        None,
        "Folder of any sentence-transformers model, used in place of a packaged one.",
    )
    engine: EngineName = setting(
        "KB_EMBEDDER_ENGINE",
        "auto",
        "auto: multilingual-e5-small in ONNX Runtime, all else in sentence-transformers.",
    )
    api_url: str = setting(
        "KB_EMBEDDING_API_URL",
        "",
        "Base URL (to /v1) of an OpenAI-compatible embeddings API, in place of a local model.",
    )
    api_model: str = setting("KB_EMBEDDING_API_MODEL", "", "The model's name there.")
    api_key: str = setting("KB_EMBEDDING_API_KEY", "", "The key there, if any.", secret=True)
    api_query_prefix: str = setting(
        "KB_EMBEDDING_API_QUERY_PREFIX", "", "What that model wants before a query."
    )
    api_passage_prefix: str = setting(
        "KB_EMBEDDING_API_PASSAGE_PREFIX", "", "What that model wants before a passage."
    )
    threads: int = setting(
        "KB_EMBEDDER_THREADS",
        0,
        "Threads of the embedding model. 0: one for each core, at most four.",
        minimum=0,
        maximum=64,
    )
    batch_texts: int = setting(
        "KB_EMBEDDER_BATCH_TEXTS",
        4,
        "Texts embedded at once; small batches let queries pass between passages.",
        minimum=1,
        maximum=256,
    )
    max_waiting_texts: int = setting(
        "KB_EMBEDDER_MAX_WAITING_TEXTS",
        512,
        "Texts of one kind (queries, passages) that may wait; more are refused with 503.",
        minimum=1,
    )
