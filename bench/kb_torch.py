"""What kb is measured beside: bare sentence-transformers, torch in float32, batches of 32.

Run as a process of its own, so that torch's memory and threads are nobody else's. Reads
{"folder", "passages", "queries", "with_vectors"} as JSON, prints {"seconds", "query_ms"}, or with
vectors {"passages", "queries"}.
"""

import os
import sys
import time
from functools import partial
from typing import Any

import orjson

WARM_PASSAGES = 32


def main() -> None:
    given = orjson.loads(sys.stdin.buffer.read())
    os.environ["HF_HUB_OFFLINE"] = "1"
    from sentence_transformers import SentenceTransformer

    model: Any = SentenceTransformer(given["folder"], device="cpu", local_files_only=True)
    encode = {"show_progress_bar": False, "normalize_embeddings": True}
    passages = ["passage: " + text for text in given["passages"]]
    queries = ["query: " + text for text in given["queries"]]
    measure = _vectors if given["with_vectors"] else _times
    found = measure(partial(model.encode, **encode), passages, queries)
    sys.stdout.buffer.write(orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY))


def _vectors(encode: Any, passages: list[str], queries: list[str]) -> dict[str, Any]:
    """Small batches: nobody looks at the time."""
    return {
        "passages": encode(passages, batch_size=4),
        "queries": encode(queries, batch_size=16),
    }


def _times(encode: Any, passages: list[str], queries: list[str]) -> dict[str, Any]:
    encode(passages[:WARM_PASSAGES], batch_size=32)
    began = time.perf_counter()
    encode(passages, batch_size=32)
    seconds = time.perf_counter() - began
    query_ms = []
    for text in queries:
        began = time.perf_counter()
        encode([text])
        query_ms.append((time.perf_counter() - began) * 1000)
    return {"seconds": seconds, "query_ms": query_ms}


if __name__ == "__main__":
    main()
