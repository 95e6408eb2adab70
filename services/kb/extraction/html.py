"""HTML → blocks: the page's own text, without navigation, scripts and forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode

from services.kb.extraction.block import About, Block, BlockKind, Extracted
from services.kb.extraction.text import decoded

_IGNORED = (
    "script, style, noscript, template, svg, nav, footer, aside, form, iframe, button, "
    "[hidden], [aria-hidden=true]"
)
_KINDS: dict[str, BlockKind] = {
    "p": "paragraph",
    "blockquote": "paragraph",
    "dl": "list",
    "ul": "list",
    "ol": "list",
    "table": "table",
    "pre": "code",
}
_HEADING = re.compile(r"h[1-6]")
_SPACE = re.compile(r"\s+")
_MAX_DEPTH = 200


def read_html(path: Path) -> Extracted:
    """Reads a whole page, or a fragment of one."""
    tree = LexborHTMLParser(decoded(path))
    title = _text(tree.css_first("title"))
    root = tree.css_first("html")
    lang = (root.attributes.get("lang") or "") if root is not None else ""
    for node in tree.css(_IGNORED):
        node.decompose()
    body = tree.css_first("main, article") or tree.body
    title = title or _text(tree.css_first("h1"))
    blocks = _blocks(body, 0) if body is not None else iter(())
    return Extracted(About(title, lang.strip()), blocks)


def _blocks(node: LexborNode, depth: int) -> Iterator[Block]:
    """Blocks in document order; loose text between them is a paragraph of its own."""
    loose: list[str] = []
    for child in node.iter(include_text=True):
        tag = child.tag or ""
        known = _HEADING.fullmatch(tag) or tag in _KINDS
        if not known and (depth >= _MAX_DEPTH or not _holds_blocks(child)):
            loose.append(child.text(deep=True))
            continue
        yield from _paragraph(loose)
        loose = []
        if known:
            yield from _block(child, tag)
        else:
            yield from _blocks(child, depth + 1)
    yield from _paragraph(loose)


def _holds_blocks(node: LexborNode) -> bool:
    if (node.tag or "") in ("-text", "-comment"):
        return False
    return (
        node.css_first("p, div, section, ul, ol, dl, table, pre, h1, h2, h3, h4, h5, h6")
        is not None
    )


def _paragraph(pieces: list[str]) -> Iterator[Block]:
    text = _squeezed("".join(pieces))
    if text:
        yield Block("paragraph", text)


def _block(node: LexborNode, tag: str) -> Iterator[Block]:
    if _HEADING.fullmatch(tag):
        text = _text(node)
        if text:
            yield Block("heading", text, int(tag[1]), node.attributes.get("id") or "")
        return
    kind = _KINDS[tag]
    if kind == "code":
        text = node.text(deep=True).strip("\n")
    elif kind == "list":
        items = (_text(item) for item in node.css("li, dt, dd"))
        text = "\n".join(f"- {item}" for item in items if item)
    elif kind == "table":
        text = "\n".join(_row(row) for row in node.css("tr"))
    else:
        text = _text(node)
    if text.strip():
        yield Block(kind, text)


def _row(row: LexborNode) -> str:
    return " | ".join(_text(cell) for cell in row.css("th, td"))


def _text(node: LexborNode | None) -> str:
    return _squeezed(node.text(deep=True)) if node is not None else ""


def _squeezed(text: str) -> str:
    return _SPACE.sub(" ", text).strip()
