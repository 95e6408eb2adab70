"""PDF → paragraphs by page, with the outline's entries as headings.

The anchor of a page is the one that readers open: `#page=3` (RFC 8118).
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from services.kb.extraction.block import About, Block, Extracted
from services.kb.language import CJK_RANGES
from services.kernel.errors import Unprocessable

Headings = Mapping[int, Sequence[tuple[int, str]]]

_MAX_LEVEL = 6
_ENDS = (".", "!", "?", ":", ";", "。", "！", "？", "：", "；", "…", "”", "」")
_CJK_END = re.compile(rf"[{CJK_RANGES}，、。！？；：）」”]\Z")
_CJK_BEGIN = re.compile(rf"[{CJK_RANGES}，、。！？；：（「“]")
# A line that ends a sentence and is this much shorter than the longest ends its paragraph, too.
_SHORT_LINE = 0.8
# What pypdf and the decoders under it throw at broken files.
_BROKEN = (PyPdfError, ValueError, KeyError, IndexError, TypeError, AttributeError, OSError,
           RecursionError, AssertionError, NotImplementedError, ArithmeticError)  # fmt: skip


def read_pdf(path: Path) -> Extracted:
    """Raises Unprocessable for a file that is protected by a password or broken."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells of each small fault
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unprocessable("The PDF is protected by a password: save it without one.")
        title = (reader.metadata.title or "") if reader.metadata else ""
        lang = str(reader.root_object.get("/Lang", ""))
        pages = len(reader.pages)
    except _BROKEN as exc:
        raise Unprocessable("The PDF is broken.") from exc
    about = About(str(title).strip(), lang.strip(), metadata={"pages": pages})
    return Extracted(about, _pages(reader, _outline(reader)))


def _pages(reader: PdfReader, headings: Headings) -> Iterator[Block]:
    for number in range(len(reader.pages)):
        anchor = f"page={number + 1}"
        yield Block("place", "", anchor=anchor)
        for level, title in headings.get(number, ()):
            yield Block("heading", title, level, anchor)
        try:
            text = reader.pages[number].extract_text()
        except _BROKEN as exc:
            raise Unprocessable(f"Page {number + 1} of the PDF is broken.") from exc
        for paragraph in paragraphs_of(text.replace("\x00", "").split("\n")):
            yield Block("paragraph", paragraph)


def _outline(reader: PdfReader) -> Headings:
    """(level, title) by page number from 0; none where the outline is broken or missing."""
    found: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)

    def walk(entries: Sequence[Any], level: int) -> None:
        for entry in entries:
            if isinstance(entry, list):
                walk(entry, min(level + 1, _MAX_LEVEL))
                continue
            page = reader.get_destination_page_number(entry)
            title = " ".join(str(entry.title or "").split())
            if page is not None and page >= 0 and title:
                found[page].append((level, title))

    try:
        walk(reader.outline, 1)
    except _BROKEN:
        return {}  # the text can be read all the same
    return found


def paragraphs_of(lines: Sequence[str]) -> Iterator[str]:
    """Lines as they stand on the page, joined to paragraphs."""
    longest = max((len(line.strip()) for line in lines), default=0)
    waiting = ""
    for line in (line.strip() for line in lines):
        if line:
            waiting = _joined(waiting, line)
        short = len(line) < _SHORT_LINE * longest and line.endswith(_ENDS)
        if waiting and (short or not line):
            yield waiting
            waiting = ""
    if waiting:
        yield waiting


def _joined(before: str, line: str) -> str:
    if not before:
        return line
    if before.endswith("-") and len(before) > 1 and before[-2].isalpha() and line[:1].islower():
        return before[:-1] + line
    cjk = _CJK_END.search(before) and _CJK_BEGIN.match(line)
    return f"{before}{line}" if cjk else f"{before} {line}"
