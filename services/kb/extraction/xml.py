"""XML with nested sections → blocks: what has a title is a section, its `id` the anchor.

The names of elements are free: `<section id="a"><title>…</title><subsection>…`. Any other element
with text is a paragraph, and a line `name: text` where its name says something of the text. A
document type is refused: it brings entities, which can stand for other files or for gigabytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from services.kb.extraction.block import About, Block, Extracted
from services.kernel.errors import Unprocessable

_TITLES = ("title", "heading", "name", "question")
# Elements whose names add nothing to their text.
_PLAIN = {"content", "text", "p", "para", "paragraph", "body", "description", "value", "item"}
_MAX_LEVEL = 6
_MAX_DEPTH = 100
_SPACE = re.compile(r"[ \t]+")
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def read_xml(path: Path) -> Extracted:
    """Raises Unprocessable for what is not well-formed or brings a document type."""
    root = _tree(path)
    lang = root.get(_LANG) or root.get("lang") or ""
    return Extracted(About(_title(root), lang.strip()), _section(root, 0, 0))


def _tree(path: Path) -> Element:
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise Unprocessable(f"The XML is nested deeper than {_MAX_DEPTH} elements.")
        builder.start(_named(tag), {_named(name): value for name, value in attributes.items()})

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_named(tag))

    def refuse(*_: object) -> None:
        raise Unprocessable("XML with a document type (<!DOCTYPE …>) is not accepted.")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        with path.open("rb") as file:
            parser.ParseFile(file)
    except expat.ExpatError as exc:
        raise Unprocessable(f"The file is not well-formed XML (line {exc.lineno}).") from exc
    return builder.close()


def _named(name: str) -> str:
    return "{" + name if "}" in name else name


def _section(element: Element, level: int, depth: int) -> Iterator[Block]:
    """The element's blocks; `level` counts the titled elements around it."""
    titled = _titled_by(element)
    title = _title(element)
    if title and depth:
        level += 1
        yield Block("heading", title, min(level, _MAX_LEVEL), element.get("id") or "")
    own = _squeezed(element.text)
    if own:
        yield Block("paragraph", own)
    lines: list[str] = []
    for child in element:
        if len(child):
            yield from _flushed(lines)
            yield from _section(child, level, depth + 1)
        elif (text := _squeezed(child.text)) and child is not titled:
            yield from _leaf(child, text, lines)
        if after := _squeezed(child.tail):
            yield from _flushed(lines)
            yield Block("paragraph", after)
    yield from _flushed(lines)


def _leaf(element: Element, text: str, lines: list[str]) -> Iterator[Block]:
    tag = _local(element)
    if tag.lower() in _PLAIN:
        yield from _flushed(lines)
        yield Block("paragraph", text)
    else:
        lines.append(f"{tag}: {text}")


def _flushed(lines: list[str]) -> Iterator[Block]:
    if lines:
        yield Block("list", "\n".join(lines))
        lines.clear()


def _title(element: Element) -> str:
    child = _titled_by(element)
    if child is not None:
        return _squeezed(child.text)
    return next((element.get(name, "").strip() for name in _TITLES if element.get(name)), "")


def _titled_by(element: Element) -> Element | None:
    """The first of an element's children that names it, if that is plain text."""
    for child in element:
        if not len(child) and _local(child).lower() in _TITLES and _squeezed(child.text):
            return child
    return None


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _squeezed(text: str | None) -> str:
    lines = (_SPACE.sub(" ", line).strip() for line in (text or "").splitlines())
    return "\n".join(line for line in lines if line)
