"""A file → all that is stored of it, before any transaction begins: repeatable, and in little
memory however big the file is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import Any

import orjson
from anyio import to_thread

from services.kb.chunking import VERSION, Chunk, Piece, Sections, Window, packed, pieces_of
from services.kb.extraction.block import Block
from services.kb.extraction.formats import format_of
from services.kb.extraction.sandbox import Sandbox
from services.kb.language import language_of, script_of, script_of_language
from services.kb.tokens import Counts, TokenCounter
from services.kernel.errors import Unprocessable

MAX_SOURCE_CHARACTERS = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_IN_MEMORY_BYTES = 2 * 1024**2
_SAMPLE_CHARACTERS = 20_000
# Windows are counted together up to this size, so that many short sections are one call.
_COUNTED_CHARACTERS = 60_000
# Headings may take this share of what the model reads, and are cut beyond it.
_HEADING_SHARE = 0.4
_HEADING_JOIN_TOKENS = 2


@dataclass(frozen=True)
class Given:
    """A document as it comes in: a file on disk, and what is said about it, which overrides what
    the file says of itself where it is not empty. `file_name` tells the format where the source
    does not."""

    source: str
    path: Path
    file_name: str = ""
    title: str = ""
    url: str = ""
    lang: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PreparedChunk:
    """`heading`: title and headings, one a line, which is embedded and indexed with the text."""

    text: str
    heading: str
    heading_path: list[str]
    anchor: str
    position: int
    lang: str
    text_hash: str
    tokens: int


class PreparedChunks:
    """A document's passages in order, on disk when they are many."""

    def __init__(self) -> None:
        self.count = 0
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115  # closed below

    def add(self, chunk: PreparedChunk) -> None:
        self._file.write(orjson.dumps(asdict(chunk)) + b"\n")
        self.count += 1

    def __iter__(self) -> Iterator[PreparedChunk]:
        self._file.seek(0)
        return (PreparedChunk(**orjson.loads(line)) for line in self._file)

    def close(self) -> None:
        self._file.close()


@dataclass(frozen=True)
class Prepared:
    """A document and its passages, ready to be stored; its bytes stay in the file at `path`."""

    source: str
    title: str
    url: str
    lang: str
    media_type: str
    path: Path
    content_hash: str
    size_bytes: int
    metadata: dict[str, Any]
    recipe: str
    chunks: PreparedChunks


@dataclass(frozen=True)
class Measured:
    """What tells whether a document has to be read at all."""

    source: str
    content_hash: str
    size_bytes: int
    recipe: str


class Preparer:
    """Reads files, in the sandbox, and cuts them into passages."""

    def __init__(self, sandbox: Sandbox, counter: TokenCounter, chunk_tokens: int) -> None:
        self._sandbox = sandbox
        self._counter = counter
        self._chunk_tokens = chunk_tokens

    @property
    def recipe(self) -> str:
        """How documents are cut into passages now."""
        return f"{VERSION}/{self._chunk_tokens}"

    async def measured(self, given: Given) -> Measured:
        """A document with an equal hash and recipe is stored already. Raises Unprocessable."""
        source = clean_source(given.source)
        told = orjson.dumps([given.title, given.url, given.lang, given.metadata])
        digest, size = await to_thread.run_sync(_hash_of, given.path)
        return Measured(source, digest, size, f"{self.recipe}/{_digest(told)[:16]}")

    @asynccontextmanager
    async def prepared(self, given: Given, measured: Measured) -> AsyncIterator[Prepared]:
        """Raises Unprocessable, in words that say how to mend the file."""
        name = given.file_name or measured.source
        media_type = format_of(name).media_type
        chunks = PreparedChunks()
        try:
            async with self._sandbox.reading(given.path, name) as reading:
                about = reading.about
                # A file's name says nothing that is worth embedding: "0042", "index".
                title = given.title or about.title
                cutting = _Cutting(self._counter, self._chunk_tokens, title, chunks)
                lang = await cutting.run(reading.blocks(), given.lang or about.lang)
            yield Prepared(
                source=measured.source,
                title=title or PurePosixPath(measured.source).stem,
                url=given.url or about.url,
                lang=lang,
                media_type=media_type,
                path=given.path,
                content_hash=measured.content_hash,
                size_bytes=measured.size_bytes,
                metadata={**about.metadata, **given.metadata},
                recipe=measured.recipe,
                chunks=chunks,
            )
        finally:
            chunks.close()


class _Cutting:
    """One document on its way from blocks to passages."""

    def __init__(
        self, counter: TokenCounter, max_tokens: int, title: str, chunks: PreparedChunks
    ) -> None:
        self._counter = counter
        self._max_tokens = max_tokens
        self._title = title
        self._chunks = chunks
        self._sections = Sections()
        self._lang = ""

    async def run(self, batches: AsyncIterator[list[Block]], lang: str) -> str:
        """Cuts all blocks; returns the document's language, guessed by its beginning if need be."""
        waiting: list[Window] = []
        async for blocks in batches:
            self._lang = self._lang or lang or language_of(_sample(blocks))
            waiting += self._sections.feed(blocks)
            if sum(window.characters for window in waiting) > _COUNTED_CHARACTERS:
                await self._cut(waiting)
                waiting = []
        await self._cut([*waiting, *self._sections.end()])
        return self._lang

    async def _cut(self, windows: Sequence[Window]) -> None:
        if not windows:
            return
        pieces = [pieces_of(window, self._max_tokens) for window in windows]
        headings = [_heading(self._title, window.path) for window in windows]
        texts = [*headings, *(piece.text for group in pieces for piece in group)]
        counts = await self._counter.count(texts)
        await to_thread.run_sync(self._pack, windows, pieces, headings, counts)

    def _pack(
        self,
        windows: Sequence[Window],
        pieces: Sequence[Sequence[Piece]],
        headings: Sequence[str],
        counts: Counts,
    ) -> None:
        most, first = counts.max_tokens, len(windows)
        for number, window in enumerate(windows):
            own = counts.tokens[first : first + len(pieces[number])]
            first += len(own)
            taken = min(counts.tokens[number], int(most * _HEADING_SHARE)) + _HEADING_JOIN_TOKENS
            budget = max(1, min(self._max_tokens, most - taken))
            heading = _shortened(headings[number], counts.tokens[number], most)
            for chunk in packed(window, pieces[number], own, budget):
                self._keep(chunk, heading)

    def _keep(self, chunk: Chunk, heading: str) -> None:
        digest = _digest(embedded_text(heading, chunk.text).encode())
        self._chunks.add(
            PreparedChunk(
                text=chunk.text,
                heading=heading,
                heading_path=list(chunk.heading_path),
                anchor=chunk.anchor,
                position=self._chunks.count,
                lang=_chunk_language(chunk.text, self._lang),
                text_hash=digest,
                tokens=chunk.tokens,
            )
        )


def clean_source(source: str) -> str:
    """A source as a relative path or a URL. Raises Unprocessable when it is neither."""
    text = source.replace("\\", "/").strip().lstrip("/")
    bad = not text or len(text) > MAX_SOURCE_CHARACTERS or _CONTROL.search(text)
    if bad or ".." in text.split("/") or "#" in text:
        raise Unprocessable(
            "A source is a relative path or a URL, without '..' and '#'.", param="source"
        )
    return text


def embedded_text(heading: str, text: str) -> str:
    """What the model reads of a passage: its headings say what it is about."""
    return f"{heading}\n\n{text}" if heading else text


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hash_of(path: Path) -> tuple[str, int]:
    """(sha256, bytes) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def _sample(blocks: Sequence[Block]) -> str:
    return "\n".join(block.text for block in blocks[:50])[:_SAMPLE_CHARACTERS]


def _heading(title: str, path: Sequence[str]) -> str:
    """A title is often the first heading, too."""
    return "\n".join(dict.fromkeys(part for part in (title, *path) if part))


def _shortened(heading: str, tokens: int, most: int) -> str:
    """A heading that leaves room for the text; its end, which is nearest to the text, stays."""
    room = int(most * _HEADING_SHARE)
    return heading if tokens <= room else heading[-max(1, len(heading) * room // tokens) :]


def _chunk_language(text: str, lang: str) -> str:
    """The document's language, unless the passage is written in another script."""
    return lang if script_of(text) == script_of_language(lang) else language_of(text)
