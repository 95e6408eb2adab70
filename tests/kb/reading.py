"""Files as their readers give them, without the process around them."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from services.kb.chunking import Chunk, Sections, estimated_tokens, packed, pieces_of
from services.kb.extraction.block import About, Block
from services.kb.extraction.formats import extract


@dataclass(frozen=True)
class Read:
    about: About
    blocks: list[Block]


def read(content: bytes, source: str) -> Read:
    """A file's blocks. Raises as the reader does."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        extracted = extract(path, source)
        return Read(extracted.about, list(extracted.blocks))


def chunks_of(blocks: list[Block], max_tokens: int = 400) -> list[Chunk]:
    """The passages of blocks, sized by the estimate."""
    sections = Sections()
    found: list[Chunk] = []
    for window in [*sections.feed(blocks), *sections.end()]:
        pieces = pieces_of(window, max_tokens)
        counts = [estimated_tokens(piece.text) for piece in pieces]
        found += packed(window, pieces, counts, max_tokens)
    return found
