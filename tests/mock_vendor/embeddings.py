"""Vectors, in each vendor's own form: a text's length and a half."""

from __future__ import annotations

from typing import Any

from tests.mock_vendor.wire import SeenRequest


def embeddings(seen: SeenRequest) -> dict[str, Any]:
    """The answer to a request for embeddings."""
    asked = seen.body["input"]
    if seen.path.startswith("/api/v1/services/"):
        return _dashscope(asked["texts"])
    texts = asked if isinstance(asked, list) else [asked]
    usage = {"prompt_tokens": 3 * len(texts), "total_tokens": 3 * len(texts)}
    head = {"object": "list", "model": seen.body.get("model"), "usage": usage}
    if seen.path.endswith("/multimodal"):  # one vector for all parts together
        return {**head, "data": {"object": "embedding", "embedding": [float(len(texts)), 0.5]}}
    found = [
        {"object": "embedding", "index": n, "embedding": v}
        for n, v in enumerate(map(_vector, texts))
    ]
    return {**head, "data": found}


def _dashscope(texts: list[str]) -> dict[str, Any]:
    found = [{"text_index": n, "embedding": _vector(text)} for n, text in enumerate(texts)]
    usage = {"total_tokens": 3 * len(texts)}
    return {"output": {"embeddings": found}, "usage": usage, "request_id": "vendor-request"}


def _vector(text: object) -> list[float]:
    return [float(len(str(text))), 0.5]
