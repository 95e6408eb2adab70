"""Which reader reads which file. Another format is a new row of `_FORMATS`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePosixPath

from services.kb.extraction.block import Block, Extracted
from services.kernel.errors import Unprocessable


@dataclass(frozen=True)
class Format:
    """`reader` is a function of the module of its name in this package, imported when it is needed;
    `begins` is what a file of the format begins with, where that is always the same."""

    name: str
    module: str
    media_type: str
    suffixes: tuple[str, ...]
    begins: bytes = b""


_FORMATS = (
    Format("Markdown", "markdown", "text/markdown", (".md", ".markdown")),
    Format("text", "text", "text/plain", (".txt",)),
    Format("HTML", "html", "text/html", (".html", ".htm")),
    Format("PDF", "pdf", "application/pdf", (".pdf",), b"%PDF-"),
    Format(
        "Word",
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        (".docx",),
        b"PK\x03\x04",
    ),
    Format("CSV", "csv", "text/csv", (".csv",)),
    Format("JSON", "json", "application/json", (".json",)),
    Format("XML", "xml", "application/xml", (".xml",)),
)
_OLD_WORD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # also a .docx that is protected by a password
_MEDIA_TYPES = {"text/xml": "application/xml", "application/xhtml+xml": "text/html"}
# PDF allows some bytes before its mark.
_HEAD_BYTES = 1_024


def format_of(source: str) -> Format:
    """The format by the suffix of a source. Raises Unprocessable for one that is not known."""
    suffix = PurePosixPath(source).suffix.lower()
    for item in _FORMATS:
        if suffix in item.suffixes:
            return item
    shown = suffix or "(no suffix)"
    raise Unprocessable(f"The format {shown} is not supported: use {', '.join(_described())}.")


def suffix_for(media_type: str) -> str:
    """The suffix of files of a media type; empty for one that cannot be read."""
    plain = media_type.partition(";")[0].strip().lower()
    plain = _MEDIA_TYPES.get(plain, plain)
    return next((item.suffixes[0] for item in _FORMATS if item.media_type == plain), "")


def supported_suffixes() -> Iterator[str]:
    """The suffixes that can be read, with the dot."""
    for item in _FORMATS:
        yield from item.suffixes


def extract(path: Path, source: str) -> Extracted:
    """Reads the file at `path` as its source's suffix says.

    Raises Unprocessable, in words that say how to mend it; so may reading the blocks.
    """
    wanted = format_of(source)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.strip():
        raise Unprocessable("The file is empty.")
    _check(head, wanted)
    module = import_module(f"services.kb.extraction.{wanted.module}")
    extracted: Extracted = getattr(module, f"read_{wanted.module}")(path)
    return Extracted(extracted.about, _with_text(extracted.blocks))


def _with_text(blocks: Iterable[Block]) -> Iterator[Block]:
    any_text = False
    for block in blocks:
        any_text = any_text or block.kind not in ("heading", "place")
        yield block
    if not any_text:
        raise Unprocessable("The file holds no text.")


def _check(head: bytes, wanted: Format) -> None:
    """A file that is plainly of another format than its name says."""
    if head.startswith(_OLD_WORD):
        raise Unprocessable(
            "The file is an old Word file (.doc) or protected by a password: save it as a .docx."
        )
    if wanted.begins:
        if wanted.begins not in head:
            raise Unprocessable(f"The file is not {wanted.name}, although its name says so.")
        return
    for other in _FORMATS:
        if other.begins and head.startswith(other.begins):
            raise Unprocessable(f"The file is {other.name}, although its name says otherwise.")


def _described() -> Iterator[str]:
    for item in _FORMATS:
        yield f"{item.name} ({', '.join(item.suffixes)})"
