"""What kb is measured beside: bare sentence-transformers, torch in float32, batches of 32.

Run as a process of its own, so that torch's memory and threads are nobody else's. Reads
{"folder", "passages", "queries"} as JSON, prints {"seconds", "query_ms"}.
"""

import os
import sys
import time
from typing import Any

import orjson


def main() -> None:
    given = orjson.loads(sys.stdin.buffer.read())
    os.environ["HF_HUB_OFFLINE"] = "1"
    from sentence_transformers import SentenceTransformer

    model: Any = SentenceTransformer(given["folder"], device="cpu", local_files_only=True)
    encode = {"show_progress_bar": False, "normalize_embeddings": True}
    model.encode(["passage: warm"], **encode)
    passages = ["passage: " + text for text in given["passages"]]
    began = time.perf_counter()
    if passages:
        model.encode(passages, batch_size=32, **encode)
    seconds = time.perf_counter() - began
    query_ms = []
    for text in given["queries"]:
        began = time.perf_counter()
        model.encode(["query: " + text], **encode)
        query_ms.append((time.perf_counter() - began) * 1000)
    sys.stdout.buffer.write(orjson.dumps({"seconds": seconds, "query_ms": query_ms}))


if __name__ == "__main__":
    main()
