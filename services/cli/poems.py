"""`trivet poems`: YAML files → poems and their translations, over kb's HTTP interface."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from services.cli.client import CallFailed, KbClient
from services.cli.plan import BadPath

_POEMS = "/api/v1/poems"
_SUFFIXES = (".yaml", ".yml")
_PAGE = 100


@dataclass
class Outcome:
    """How many poems and translations; `errors`: (file, reason) of what could not be taken."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    errors: list[tuple[str, str]] = field(default_factory=list)


def put_poems(
    client: KbClient, paths: Sequence[Path], progress: Callable[[float, str], None]
) -> Outcome:
    """Adds the poems of files and folders, and changes those that differ; removes none.

    A file holds one poem: the fields of `POST /api/v1/poems`, and `translations`, a list of those
    of `POST …/translations`. A poem is known by title and author, a translation by its language and
    translator. Raises BadPath and, when kb is away, CallFailed.
    """
    files = _files(paths)
    outcome = Outcome()
    for number, path in enumerate(files):
        progress(number / len(files), path.name)
        try:
            _put(client, _read(path), outcome)
        except (BadPath, CallFailed) as error:
            outcome.errors.append((str(path), str(error)))
    progress(1.0, "")
    return outcome


def _files(paths: Sequence[Path]) -> list[Path]:
    files = []
    for path in paths:
        if not path.exists():
            raise BadPath(f"{path} does not exist")
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        files += [file for file in inside if file.suffix in _SUFFIXES and file.is_file()]
    if not files:
        raise BadPath("there is no .yaml file in it")
    return files


def _read(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise BadPath("it cannot be read as YAML") from exc
    if not isinstance(found, dict) or not {"title", "author"} <= found.keys():
        raise BadPath("it holds no poem: a title, an author, source_lang and original_text")
    translations = found.get("translations", [])
    if not isinstance(translations, list) or not all(isinstance(t, dict) for t in translations):
        raise BadPath("translations are a list")
    try:
        json.dumps(found)
    except (TypeError, ValueError) as exc:
        raise BadPath("it has values that are no JSON: put dates into quotes") from exc
    return found


def _put(client: KbClient, wanted: dict[str, Any], outcome: Outcome) -> None:
    translations = wanted.pop("translations", [])
    poem = _put_one(client, _POEMS, _poem(client, wanted), wanted, outcome)
    path = f"{_POEMS}/{quote(poem['id'])}/translations"
    for translation in translations:
        known = _translation(client, path, translation)
        _put_one(client, path, known, translation, outcome)


def _poem(client: KbClient, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """The poem with this title and author, if kb has it."""
    params = {"search": wanted["title"], "author": wanted["author"]}
    return _first(client, _POEMS, params, wanted, ("title", "author"))


def _translation(client: KbClient, path: str, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """The translation into this language by this translator, if kb has it."""
    params = {"target_lang": wanted.get("target_lang")}
    return _first(client, path, params, wanted, ("target_lang", "translator"))


def _first(
    client: KbClient,
    path: str,
    params: Mapping[str, Any],
    wanted: Mapping[str, Any],
    names: Sequence[str],
) -> dict[str, Any] | None:
    """The newest of a list that has the wanted values under these names."""
    skip = 0
    while True:
        page = client.call("GET", path, params={**params, "skip": skip, "limit": _PAGE})
        for item in page:
            if all(item[name] == wanted.get(name, "") for name in names):
                return dict(item)
        if len(page) < _PAGE:
            return None
        skip += _PAGE


def _put_one(
    client: KbClient,
    path: str,
    known: Mapping[str, Any] | None,
    wanted: Mapping[str, Any],
    outcome: Outcome,
) -> dict[str, Any]:
    """Stores what is not there or differs; gives back what kb has now."""
    if known is None:
        stored = client.call("POST", path, json=wanted)
        outcome.added += 1
        return dict(stored)
    differing = {name: value for name, value in wanted.items() if known.get(name) != value}
    if not differing:
        outcome.unchanged += 1
        return dict(known)
    changed = client.call("PATCH", f"{path}/{quote(known['id'])}", json=differing)
    outcome.changed += 1
    return dict(changed)
