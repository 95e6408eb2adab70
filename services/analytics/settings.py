"""What analytics reads from the environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.kernel.settings import CommonSettings, setting


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """The common settings and those of analytics."""

    store_questions: bool = setting(
        "ANALYTICS_STORE_QUESTIONS",
        True,
        "Whether the text of questions and searches is kept (redacted). Off: only their counts.",
    )
    writer_max_events: int = setting(
        "ANALYTICS_WRITER_MAX_EVENTS",
        20_000,
        "Most events that wait in memory for the database; past that the senders are told to wait.",
        minimum=1_000,
    )
    feedback_per_minute: int = setting(
        "ANALYTICS_FEEDBACK_PER_MINUTE",
        30,
        "Most votes on answers that one address may send in a minute, per instance.",
        minimum=1,
    )

    retention_days: int = setting(
        "ANALYTICS_RETENTION_DAYS",
        180,
        "Days that records are kept; older ones are deleted daily, their sums stay. 0: for ever.",
        minimum=0,
        maximum=36_500,
    )
    low_score: float = setting(
        "ANALYTICS_LOW_SCORE",
        0.5,
        "A search whose best passage has a lower relevance (0 to 1) counts as a weak one.",
        minimum=0,
        maximum=1,
    )

    intents_file: Path = setting(
        "ANALYTICS_INTENTS_FILE",
        Path("config/intents.yaml"),
        "What questions are about, by keywords for each language.",
    )
    embedder_url: str = setting(
        "ANALYTICS_EMBEDDER_URL",
        "",
        "Base URL of the embedder, which tells questions apart. Empty: the local one, by its port.",
    )
    gap_similarity: float = setting(
        "ANALYTICS_GAP_SIMILARITY",
        0.92,
        "Least cosine of two questions that count as the same one when gaps are made.",
        minimum=0,
        maximum=1,
    )
    indexing_timeout_seconds: float = setting(
        "ANALYTICS_INDEXING_TIMEOUT_SECONDS",
        120.0,
        "Longest wait for kb to index the answer to a gap.",
        minimum=1,
    )

    @property
    def database_path(self) -> Path:
        return self.data_dir / "analytics.db"

    @property
    def migration_lock_path(self) -> Path:
        return self.data_dir / "analytics.lock"
