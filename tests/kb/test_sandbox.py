"""Hostile files: whatever they do, they do it to a process that can be spared."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from services.kb.extraction.block import Block
from services.kb.extraction.sandbox import Limits, ReaderFailed, Sandbox
from services.kernel.errors import Unprocessable
from tests.kb import documents
from tests.support.wait import until

pytestmark = [pytest.mark.process, pytest.mark.anyio]


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(Limits(memory_bytes=400 * 1024**2, seconds=20))
    yield sandbox
    await sandbox.aclose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


async def blocks(sandbox: Sandbox, path: Path, source: str) -> list[Block]:
    async with sandbox.reading(path, source) as reading:
        return [block async for batch in reading.blocks() for block in batch]


def written(folder: Path, content: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(content)
    return path


def workers() -> list[Any]:
    children: list[Any] = psutil.Process(os.getpid()).children()
    return children


async def test_one_worker_reads_one_file_after_another(sandbox: Sandbox, folder: Path) -> None:
    path = written(folder, b"# A\n\nalpha")
    first = await blocks(sandbox, path, "a.md")
    (worker,) = workers()
    assert [block.text for block in first] == ["A", "alpha"]
    with pytest.raises(Unprocessable, match="not PDF"):
        await blocks(sandbox, path, "a.pdf")
    assert await blocks(sandbox, path, "a.md") == first
    assert workers() == [worker]


async def test_a_worker_has_no_secret_and_writes_no_file(
    sandbox: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOUBAO_API_KEY", "sk-test-not-a-key")
    await blocks(sandbox, written(folder, b"text"), "a.txt")
    (worker,) = workers()
    assert set(worker.environ()) <= {"PATH", "LANG"}
    assert worker.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert worker.nice() >= 10


async def test_a_file_that_needs_too_much_memory_is_refused(sandbox: Sandbox, folder: Path) -> None:
    path = written(folder, b"[" + b'{"a":"b"},' * 4_000_000 + b"0]")
    with pytest.raises(Unprocessable, match=r"more memory|broke on it"):
        await blocks(sandbox, path, "a.json")
    assert await blocks(sandbox, written(folder, b"text"), "a.txt"), "the next one is read"


async def test_a_bomb_is_refused(sandbox: Sandbox, folder: Path) -> None:
    path = written(folder, documents.bomb(300 * 1024**2))
    assert path.stat().st_size < 1024**2
    with pytest.raises(Unprocessable, match="unpacks to more than"):
        await blocks(sandbox, path, "bomb.docx")


async def test_a_file_that_takes_too_long_is_refused_and_its_worker_ended(folder: Path) -> None:
    sandbox = Sandbox(Limits(memory_bytes=1024**3, seconds=0.01))
    path = written(folder, b"<div>" * 400_000)
    with pytest.raises(ReaderFailed, match=r"longer than 0\.01 s"):
        await blocks(sandbox, path, "a.html")
    await asyncio.to_thread(until, lambda: workers() == [], 5, "the worker is gone")
    await sandbox.aclose()


async def test_whoever_leaves_early_ends_the_worker(sandbox: Sandbox, folder: Path) -> None:
    path = written(folder, ("words of a line\n\n" * 200_000).encode())
    async with sandbox.reading(path, "a.txt") as reading:
        async for _ in reading.blocks():
            break
    await asyncio.to_thread(until, lambda: workers() == [], 5, "the worker is gone")
    assert len(await blocks(sandbox, path, "a.txt")) == 200_000


async def test_a_worker_that_was_killed_is_replaced(sandbox: Sandbox, folder: Path) -> None:
    path = written(folder, b"text")
    await blocks(sandbox, path, "a.txt")
    (worker,) = workers()
    worker.kill()
    with suppress(ReaderFailed):  # the event loop may not know of its end yet
        await blocks(sandbox, path, "a.txt")
    assert await blocks(sandbox, path, "a.txt")
