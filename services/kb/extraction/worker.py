"""The process that reads others' files: a request a line on its input, blocks on its output.

Whatever a file does to its reader, it does it here, where memory, processor time and files are
limited and no secret is in the environment. The lines are JSON: `{"path", "source"}` in; out
`{"about"}`, then `{"blocks"}` some times, then `{"end"}`, or `{"error"}` with words for the sender
(`spent`: this process is to be replaced), or `{"fault"}` with the name of an unforeseen exception.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

import orjson

from services.kb.extraction.block import Block
from services.kb.extraction.formats import extract
from services.kernel.errors import TrivetError

_LINE_CHARACTERS = 64_000
# A longer block is handed on in pieces, so that nobody has to hold it whole.
_BLOCK_CHARACTERS = 64_000
_NICENESS = 10
_OPEN_FILES = 32
_BY_LINES = ("list", "table", "code", "record")


def main(memory_bytes: int, seconds: int) -> None:
    """Reads files until the input ends."""
    answers = _own_output()
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes no file
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin.buffer:
        _limit_time(seconds)
        request = orjson.loads(line)
        for answer in _answers(Path(request["path"]), request["source"]):
            answers.write(orjson.dumps(answer) + b"\n")
        answers.flush()


def _own_output() -> IO[bytes]:
    """The answers' pipe, where nothing that a library prints can get in."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return output


def _limit_time(seconds: int) -> None:
    """Whoever asked has a clock of its own; this one is for a process that nobody waits for."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used.ru_utime + used.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _answers(path: Path, source: str) -> Iterator[dict[str, Any]]:
    try:
        extracted = extract(path, source)
        yield {"about": asdict(extracted.about)}
        yield from _batches(extracted.blocks)
        yield {"end": True}
    except TrivetError as error:
        yield {"error": error.message}
    except MemoryError:
        yield {"error": "The file needs more memory to be read than is allowed.", "spent": True}
    except RecursionError:
        yield {"error": "The file is nested too deeply."}
    except Exception as exc:  # noqa: BLE001  # readers meet files that nobody foresaw
        yield {"fault": type(exc).__name__}


def _pieces(block: Block) -> Iterator[Block]:
    text = block.text
    while len(text) > _BLOCK_CHARACTERS:
        end = text.rfind("\n" if block.kind in _BY_LINES else " ", 1, _BLOCK_CHARACTERS) + 1
        end = end or _BLOCK_CHARACTERS
        yield replace(block, text=text[:end])
        text = text[end:]
    yield block if text is block.text else replace(block, text=text)


def _batches(blocks: Iterable[Block]) -> Iterator[dict[str, Any]]:
    batch: list[tuple[str, str, int, str]] = []
    size = 0
    for piece in (piece for block in blocks for piece in _pieces(block)):
        batch.append((piece.kind, piece.text, piece.level, piece.anchor))
        size += len(piece.text) + 32
        if size > _LINE_CHARACTERS:
            yield {"blocks": batch}
            batch, size = [], 0
    yield {"blocks": batch}


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
