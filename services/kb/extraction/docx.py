"""Word files (DOCX) → blocks: headings by their style or outline level, lists, tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile, LargeZipFile, ZipFile

import docx
from docx.document import Document
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.paragraph import Paragraph

from services.kb.extraction.block import About, Block, Extracted
from services.kernel.errors import Unprocessable

# A file that says it unpacks to more is refused before any of it is: a bomb, or no text document.
MAX_UNPACKED_BYTES = 256 * 1024**2
_HEADING = re.compile(r"(?:heading|标题)\s*([1-9])", re.IGNORECASE)
_LIST = re.compile(r"list|列表", re.IGNORECASE)
_MAX_LEVEL = 6
# What zipfile, python-docx and lxml (whose errors are SyntaxErrors) throw at broken files.
_BROKEN = (BadZipFile, LargeZipFile, OpcError, SyntaxError, KeyError, ValueError, IndexError,
           AttributeError, NotImplementedError, RuntimeError, EOFError, OSError)  # fmt: skip


def read_docx(path: Path) -> Extracted:
    """Raises Unprocessable for what is no Word file, and for one that unpacks to too much."""
    try:
        _check(path)
        document = docx.Document(str(path))
        about = _about(document)
    except _BROKEN as exc:
        raise Unprocessable("The Word file is broken, or is no .docx file.") from exc
    return Extracted(about, _blocks(document))


def _check(path: Path) -> None:
    with ZipFile(path) as archive:
        entries = archive.infolist()
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        limit = MAX_UNPACKED_BYTES // 1024**2
        raise Unprocessable(f"The file unpacks to more than {limit} MiB.")


def _about(document: Document) -> About:
    properties = document.core_properties
    return About(properties.title.strip(), properties.language.strip())


def _blocks(document: Document) -> Iterator[Block]:
    items: list[str] = []
    for part in document.iter_inner_content():
        block = _table(part) if isinstance(part, Table) else _paragraph(part)
        if block.kind == "list":
            items.append(block.text)
            continue
        yield from _listed(items)
        if block.text:
            yield block
    yield from _listed(items)


def _listed(items: list[str]) -> Iterator[Block]:
    if items:
        yield Block("list", "\n".join(items))
        items.clear()


def _paragraph(paragraph: Paragraph) -> Block:
    text = paragraph.text.strip()
    level = _heading_level(paragraph)
    if text and level:
        return Block("heading", " ".join(text.split()), min(level, _MAX_LEVEL))
    if text and _is_item(paragraph):
        return Block("list", f"- {text}")
    return Block("paragraph", text)


def _heading_level(paragraph: Paragraph) -> int:
    """1 to 9; 0 for what is no heading. `Title` is the first level."""
    name = (paragraph.style.name or "") if paragraph.style is not None else ""
    found = _HEADING.match(name)
    if found is not None:
        return int(found.group(1))
    if name == "Title":
        return 1
    properties = paragraph._p.pPr  # python-docx has no face for the outline level
    outline = properties.find(qn("w:outlineLvl")) if properties is not None else None
    value = outline.get(qn("w:val"), "9") if outline is not None else "9"
    return int(value) + 1 if value.isdigit() and int(value) < 9 else 0  # 9: body text


def _is_item(paragraph: Paragraph) -> bool:
    properties = paragraph._p.pPr
    if properties is not None and properties.numPr is not None:
        return True
    return paragraph.style is not None and bool(_LIST.match(paragraph.style.name or ""))


def _table(table: Table) -> Block:
    rows = (" | ".join(" ".join(cell.text.split()) for cell in row.cells) for row in table.rows)
    return Block("table", "\n".join(row for row in rows if row.strip(" |")))
