"""What kb reads from the environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.kb.chunking import DEFAULT_MAX_TOKENS
from services.kb.fetching import Network, networks
from services.kernel.settings import CommonSettings, setting


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """The common settings and those of kb."""

    company_file: Path = setting(
        "KB_COMPANY_FILE", Path("library/company.yaml"), "Who the site belongs to (YAML)."
    )
    chroma_url: str = setting(
        "KB_CHROMA_URL", "", "Base URL of a Chroma server. Empty: the local one, by its port."
    )
    embedder_url: str = setting(
        "KB_EMBEDDER_URL", "", "Base URL of the embedder. Empty: the local one, by its port."
    )
    chunk_tokens: int = setting(
        "KB_CHUNK_TOKENS",
        DEFAULT_MAX_TOKENS,
        "Most tokens of a passage, counted by the model; never more than it reads at once.",
        minimum=32,
        maximum=8_000,
    )
    extraction_memory_bytes: int = setting(
        "KB_EXTRACTION_MEMORY_BYTES",
        1024**3,
        "Memory (address space) for reading one file; one that needs more is refused.",
        minimum=256 * 1024**2,
    )
    extraction_timeout_seconds: float = setting(
        "KB_EXTRACTION_TIMEOUT_SECONDS",
        120.0,
        "Time for reading one file; one that takes longer is refused.",
        minimum=1,
    )
    fetch_timeout_seconds: float = setting(
        "KB_FETCH_TIMEOUT_SECONDS",
        60.0,
        "Time for fetching one URL, redirects included.",
        minimum=1,
    )
    fetch_allowed_networks: tuple[Network, ...] = setting(
        "KB_FETCH_ALLOWED_NETWORKS",
        (),
        "Private networks (CIDR, separated by commas) from which URLs may be ingested.",
        parse=networks,
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
        return self.data_dir.absolute() / "kb-uploads"

    @property
    def evaluations_dir(self) -> Path:
        """Where past evaluations are kept."""
        return self.data_dir / "kb-evaluations"
