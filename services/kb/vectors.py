"""Vectors in a Chroma server, over its HTTP API (version 2).

kb speaks to the server by itself: Chroma's own client takes 2 s to import and 50 MB, for the five
calls made here. The server computes no embeddings; it gets ours. Ids are those of the chunks.
API: /openapi.json of `chroma run`. Distances are cosine distances, 1 - cosine.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import orjson

from services.kernel.errors import Overloaded
from services.kernel.http_client import needs_tls

_COLLECTIONS = "/api/v2/tenants/default_tenant/databases/default_database/collections"
_TIMEOUT = httpx.Timeout(30.0, connect=2.0)
_QUERY_TIMEOUT = httpx.Timeout(5.0, connect=1.0)
_MAX_KNOWN_IDS = 1_000


class IndexUnavailable(Overloaded):
    """Chroma cannot be reached, or it fails."""


class IndexMissing(IndexUnavailable):
    """Chroma answers, but does not have this index."""


class IndexBroken(IndexUnavailable):
    """Chroma answers, but fails on this index, or on all of them."""


class VectorIndex:
    """All indexes on one Chroma server. Raises IndexUnavailable; IndexMissing where one is not."""

    def __init__(self, base_url: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=base_url, timeout=_TIMEOUT, trust_env=False, verify=needs_tls([base_url])
        )
        self._ids: dict[str, str] = {}  # index name → Chroma's id; a name is never used twice

    async def aclose(self) -> None:
        await self._client.aclose()

    async def alive(self) -> bool:
        """Whether the server answers."""
        try:
            await self._call("GET", "/api/v2/heartbeat", timeout=_QUERY_TIMEOUT)
        except IndexUnavailable:
            return False
        return True

    async def ensure(self, index: str, metadata: Mapping[str, str | int]) -> None:
        """Makes the index where it is not. `metadata` says what made its vectors."""
        body = {
            "name": index,
            "get_or_create": True,
            "metadata": dict(metadata),
            "configuration": {"hnsw": {"space": "cosine"}},
        }
        self._remember(index, await self._call("POST", _COLLECTIONS, body))

    async def metadata(self, index: str) -> dict[str, Any]:
        """What was said about the index when it was made."""
        found = await self._call("GET", f"{_COLLECTIONS}/{index}")
        self._remember(index, found)
        return found.get("metadata") or {}

    async def upsert(self, index: str, vectors: Mapping[int, bytes]) -> None:
        """Puts vectors (little-endian float32) by chunk id; at most some hundreds at once."""
        body = {
            "ids": [str(chunk_id) for chunk_id in vectors],
            "embeddings": [base64.b64encode(vector).decode() for vector in vectors.values()],
        }
        await self._on(index, "POST", "upsert", body)

    async def query(
        self, index: str, vector: Sequence[float], limit: int
    ) -> list[tuple[int, float]]:
        """The nearest chunks and their cosines, best first."""
        body = {"query_embeddings": [list(vector)], "n_results": limit, "include": ["distances"]}
        found = await self._on(index, "POST", "query", body, timeout=_QUERY_TIMEOUT)
        ids, distances = found["ids"][0], found["distances"][0]
        return [(int(i), 1.0 - float(d)) for i, d in zip(ids, distances, strict=True)]

    async def delete(self, index: str, chunk_ids: Sequence[int]) -> None:
        """Deletes chunks; those that are not there do no harm."""
        await self._on(index, "POST", "delete", {"ids": [str(chunk_id) for chunk_id in chunk_ids]})

    async def count(self, index: str) -> int:
        return int(await self._on(index, "GET", "count"))

    async def drop(self, index: str) -> None:
        """Deletes an index; one that is not there does no harm."""
        self._ids.pop(index, None)
        try:
            await self._call("DELETE", f"{_COLLECTIONS}/{index}")
        except IndexMissing:
            return

    async def _on(
        self,
        index: str,
        method: str,
        action: str,
        body: Any = None,
        timeout: httpx.Timeout = _TIMEOUT,
    ) -> Any:
        if index not in self._ids:
            await self.metadata(index)
        path = f"{_COLLECTIONS}/{self._ids[index]}/{action}"
        try:
            return await self._call(method, path, body, timeout)
        except IndexMissing:
            self._ids.pop(index, None)  # the server was emptied: its ids are new when it comes back
            raise

    def _remember(self, index: str, found: Mapping[str, Any]) -> None:
        if len(self._ids) >= _MAX_KNOWN_IDS:
            self._ids.clear()
        self._ids[index] = found["id"]

    async def _call(
        self, method: str, path: str, body: Any = None, timeout: httpx.Timeout = _TIMEOUT
    ) -> Any:
        content = None if body is None else orjson.dumps(body)
        headers = {"content-type": "application/json"}
        try:
            response = await self._client.request(
                method, path, content=content, headers=headers, timeout=timeout
            )
        except httpx.HTTPError as exc:
            raise IndexUnavailable("The vector index cannot be reached.") from exc
        if response.status_code == httpx.codes.NOT_FOUND:
            raise IndexMissing("The vector index is not there.")
        if response.is_error:
            raise IndexBroken(f"The vector index failed with status {response.status_code}.")
        try:
            return orjson.loads(response.content) if response.content else None
        except orjson.JSONDecodeError as exc:
            raise IndexUnavailable("The vector index gave no JSON.") from exc
