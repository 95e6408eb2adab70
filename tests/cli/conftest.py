"""The command line is tested against the running kb of kb's own tests."""

from tests.kb.conftest import (
    chroma_url,
    embedder,
    embedder_process,
    engines,
    kb,
    lonely_kb,
    start_kb,
)

__all__ = ["chroma_url", "embedder", "embedder_process", "engines", "kb", "lonely_kb", "start_kb"]
