"""What an ingestion is to do: files of the given paths against what kb has."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.kb.extraction.formats import supported_suffixes

_URL = re.compile(r"https?://", re.IGNORECASE)


class BadPath(Exception):
    """A path that cannot be ingested; its text is one line."""


@dataclass(frozen=True)
class LocalFile:
    """A file and the source under which kb knows it."""

    source: str
    path: Path


@dataclass(frozen=True)
class Root:
    """A given path. A folder's sources begin with `prefix`, and those that are gone are removed;
    a single file has no prefix."""

    prefix: str
    files: tuple[LocalFile, ...]


@dataclass(frozen=True)
class Plan:
    """`removed`: sources that kb has and the folders have no more."""

    added: list[LocalFile]
    changed: list[LocalFile]
    unchanged: int
    removed: list[str]


def paths_and_urls(given: Sequence[str], listed: Path | None) -> tuple[list[Path], list[str]]:
    """What was given, and what the file `listed` holds (a URL a line; # begins a comment).

    Raises BadPath.
    """
    urls = [item for item in given if _URL.match(item)]
    paths = [Path(item) for item in given if not _URL.match(item)]
    if listed is not None:
        urls += _urls_in(listed)
    if not paths and not urls:
        raise BadPath("name a file, a folder or a URL")
    return paths, urls


def _urls_in(path: Path) -> list[str]:
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as exc:
        raise BadPath(f"{path}: not a readable list of URLs") from exc
    return [line for line in lines if line and not line.startswith("#")]


def roots_of(paths: Sequence[Path], name: str) -> list[Root]:
    """The files of the paths: of folders those in a supported format, hidden ones left out.

    A folder's files are known as `<folder's name>/<path in it>`; `name` takes the place of the
    folder's name. Raises BadPath.
    """
    roots = [_root(path, name) for path in paths]
    prefixes = [root.prefix for root in roots if root.prefix]
    if len(set(prefixes)) < len(prefixes):
        raise BadPath("two folders have the same name: ingest them apart, with --name")
    return roots


def plan_of(
    roots: Iterable[Root], known: Mapping[str, Mapping[str, Any]], *, replace: bool = False
) -> Plan:
    """Compares by sha256; what is not `up_to_date` counts as changed, too. `known`: kb's documents
    under the roots, by source.

    Raises BadPath when nothing of a folder would stay, unless `replace` is set.
    """
    added: list[LocalFile] = []
    changed: list[LocalFile] = []
    removed: list[str] = []
    unchanged = 0
    for root in roots:
        for file in root.files:
            document = known.get(file.source)
            if document is None:
                added.append(file)
            elif not document["up_to_date"] or document["content_hash"] != _sha256(file.path):
                changed.append(file)
            else:
                unchanged += 1
        removed += _gone(root, known, replace)
    return Plan(added, changed, unchanged, removed)


def _gone(root: Root, known: Mapping[str, Mapping[str, Any]], replace: bool) -> list[str]:
    if not root.prefix:
        return []
    before = [source for source in known if source.startswith(root.prefix)]
    here = {file.source for file in root.files}
    gone = [source for source in before if source not in here]
    if gone and len(gone) == len(before) and not replace:
        raise BadPath(
            f"none of the {len(gone)} documents under {root.prefix} is in this folder: "
            "is it another one? Give it its own --name, or say --replace"
        )
    return gone


def _root(path: Path, name: str) -> Root:
    resolved = path.resolve()
    if resolved.is_file():
        return Root("", (LocalFile(name or resolved.name, resolved),))
    if not resolved.is_dir():
        raise BadPath(f"{path}: there is no such file or folder")
    prefix = f"{name or resolved.name}/"
    files = tuple(
        LocalFile(prefix + file.relative_to(resolved).as_posix(), file)
        for file in sorted(_files_in(resolved))
    )
    if not files:
        raise BadPath(f"{path}: the folder holds no file in a supported format")
    return Root(prefix, files)


def _files_in(folder: Path) -> Iterator[Path]:
    suffixes = set(supported_suffixes())
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.suffix.lower() in suffixes and path.is_file():
            yield path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
