"""What kb reads from the environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.kb.chunking import DEFAULT_MAX_TOKENS
from services.kernel.settings import CommonSettings, setting


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """The common settings and those of kb."""

    company_file: Path = setting(
        "KB_COMPANY_FILE", Path("library/company.yaml"), "Who the site belongs to (YAML)."
    )
    chroma_url: str = setting(
        "TRIVET_CHROMA_URL", "", "Base URL of a Chroma server. Empty: the local one, by its port."
    )
    embedder_url: str = setting(
        "KB_EMBEDDER_URL", "", "Base URL of the embedder. Empty: the local one, by its port."
    )
    chunk_tokens: int = setting(
        "KB_CHUNK_TOKENS",
        DEFAULT_MAX_TOKENS,
        "Most tokens (estimated) of a passage; below what the embedding model reads at once.",
        minimum=32,
        maximum=8_000,
    )
    query_cache_entries: int = setting(
        "KB_QUERY_CACHE_ENTRIES",
        4_096,
        "Embeddings of queries kept in memory, per instance; about 2 KB each.",
        minimum=0,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        local = {"chroma_url": self.chroma_port, "embedder_url": self.embedder_port}
        for name, port in local.items():
            url = getattr(self, name) or f"http://127.0.0.1:{port}"
            object.__setattr__(self, name, url.rstrip("/"))

    @property
    def database_path(self) -> Path:
        return self.data_dir / "kb.db"

    @property
    def migration_lock_path(self) -> Path:
        return self.data_dir / "kb.lock"

    @property
    def indexer_lock_path(self) -> Path:
        return self.data_dir / "kb-indexer.lock"

    @property
    def spool_dir(self) -> Path:
        """Where uploaded files wait to be read."""
        return self.data_dir / "kb-uploads"
