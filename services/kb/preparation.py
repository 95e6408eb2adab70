"""A file → all that is stored of it, before any transaction begins: pure and repeatable."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from services.kb.chunking import chunks_of
from services.kb.extraction import Extracted, extract, media_type_of
from services.kb.language import language_of, script_of, script_of_language
from services.kernel.errors import Unprocessable

MAX_SOURCE_CHARACTERS = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Given:
    """A document as it comes in. What is not empty here overrides what the file says of itself."""

    source: str
    content: bytes
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


@dataclass(frozen=True)
class Prepared:
    """A document and its passages, ready to be stored."""

    source: str
    title: str
    url: str
    lang: str
    media_type: str
    content: bytes
    content_hash: str
    metadata: dict[str, Any]
    chunks: list[PreparedChunk]


def prepare(given: Given, max_tokens: int) -> Prepared:
    """Extracts and divides a document. Raises Unprocessable in words for its sender."""
    source = clean_source(given.source)
    extracted = extract(given.content, source)
    title = given.title or extracted.title
    lang = given.lang or extracted.lang or language_of(_sample(extracted))
    return Prepared(
        source=source,
        title=title or PurePosixPath(source).stem,
        url=given.url or extracted.url,
        lang=lang,
        media_type=media_type_of(source),
        content=given.content,
        content_hash=hashlib.sha256(given.content).hexdigest(),
        metadata={**extracted.metadata, **given.metadata},
        chunks=_chunks(extracted, title, lang, max_tokens),
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


def _sample(extracted: Extracted) -> str:
    return "\n".join(block.text for block in extracted.blocks[:50])


def _chunks(extracted: Extracted, title: str, lang: str, max_tokens: int) -> list[PreparedChunk]:
    prepared = []
    for chunk in chunks_of(extracted.blocks, max_tokens):
        heading = "\n".join(_without_repeats([title, *chunk.heading_path]))
        digest = hashlib.sha256(embedded_text(heading, chunk.text).encode()).hexdigest()
        prepared.append(
            PreparedChunk(
                text=chunk.text,
                heading=heading,
                heading_path=list(chunk.heading_path),
                anchor=chunk.anchor,
                position=chunk.position,
                lang=_chunk_language(chunk.text, lang),
                text_hash=digest,
                tokens=chunk.tokens,
            )
        )
    return prepared


def _without_repeats(parts: Sequence[str]) -> list[str]:
    """A title is often the first heading, too."""
    return list(dict.fromkeys(part for part in parts if part))


def _chunk_language(text: str, lang: str) -> str:
    """The document's language, unless the passage is written in another script."""
    return lang if script_of(text) == script_of_language(lang) else language_of(text)
