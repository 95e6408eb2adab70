"""The index on a real Chroma server."""

import array
import uuid
from collections.abc import AsyncIterator

import pytest

from services.kb.vectors import IndexMissing, IndexUnavailable, VectorIndex
from tests.support.ports import free_port


def vector(*values: float) -> bytes:
    return array.array("f", values).tobytes()


@pytest.fixture
async def index(chroma_url: str) -> AsyncIterator[VectorIndex]:
    index = VectorIndex(chroma_url)
    yield index
    await index.aclose()


@pytest.fixture
def name() -> str:
    return f"test-{uuid.uuid4().hex}"


@pytest.mark.anyio
async def test_what_is_put_is_found_by_its_cosine(index: VectorIndex, name: str) -> None:
    await index.ensure(name, {"model_key": "k"})
    await index.upsert(name, {1: vector(1, 0), 2: vector(0, 1), 3: vector(0.6, 0.8)})
    found = await index.query(name, array.array("f", [1, 0]), 5)
    assert [chunk_id for chunk_id, _ in found] == [1, 3, 2]
    assert [cosine for _, cosine in found] == pytest.approx([1, 0.6, 0], abs=1e-6)
    assert await index.count(name) == 3
    assert (await index.metadata(name))["model_key"] == "k"


@pytest.mark.anyio
async def test_what_is_deleted_is_found_no_more(index: VectorIndex, name: str) -> None:
    await index.ensure(name, {"model_key": "k"})
    await index.upsert(name, {1: vector(1, 0), 2: vector(0, 1)})
    await index.delete(name, [1, 99])
    assert [i for i, _ in await index.query(name, array.array("f", [1, 0]), 5)] == [2]


@pytest.mark.anyio
async def test_an_index_that_another_process_made_anew_is_found_again(
    index: VectorIndex, chroma_url: str, name: str
) -> None:
    await index.ensure(name, {"model_key": "k"})
    other = VectorIndex(chroma_url)
    await other.drop(name)
    await other.ensure(name, {"model_key": "k"})
    await other.aclose()
    with pytest.raises(IndexMissing):
        await index.count(name)
    assert await index.count(name) == 0


@pytest.mark.anyio
async def test_an_index_that_is_not_there_is_missing(index: VectorIndex, name: str) -> None:
    with pytest.raises(IndexMissing):
        await index.query(name, array.array("f", [1, 0]), 5)
    await index.drop(name)


@pytest.mark.anyio
async def test_a_server_that_is_away_is_unavailable() -> None:
    index = VectorIndex(f"http://127.0.0.1:{free_port()}")
    assert not await index.alive()
    with pytest.raises(IndexUnavailable):
        await index.count("any")
    await index.aclose()
