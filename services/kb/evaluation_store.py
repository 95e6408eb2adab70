"""Past evaluations in files, so that a run is shown beside the one before it.

A file holds the runs of one set of questions in one mode, newest last.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import orjson
from pydantic import ValidationError

from services.kb.evaluation import GoldenQuestion
from services.kb.evaluation_schemas import EvaluationRun, PastRun

_log = logging.getLogger(__name__)
_MAX_RUNS = 100
_MAX_SETS = 50


class EvaluationStore:
    """Blocks for small files. Two runs at once keep at least one of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def last(self, key: str) -> EvaluationRun | None:
        """The newest run; None where there is none, or none that can be read."""
        runs = self._runs(key)
        try:
            return EvaluationRun.model_validate(runs[-1]) if runs else None
        except ValidationError:
            _log.warning("a past evaluation cannot be read")
            return None

    def newest(self, limit: int) -> list[PastRun]:
        """The newest runs of all questions, of those sets that were run last."""
        found = sorted(self._folder.glob("*.json"), key=_changed, reverse=True)[:_MAX_SETS]
        runs = [run for path in found for run in self._readable(path.stem)[-limit:]]
        return sorted(runs, key=lambda run: run.created_at, reverse=True)[:limit]

    def _readable(self, key: str) -> list[PastRun]:
        runs: list[PastRun] = []
        for given in self._runs(key):
            fields = given if isinstance(given, dict) else {}
            with suppress(ValidationError):  # of a version that wrote other fields
                runs.append(PastRun.model_validate({**fields, "question_set": key}))
        return runs

    def keep(self, key: str, run: EvaluationRun) -> None:
        runs = [*self._runs(key), run.model_dump()][-_MAX_RUNS:]
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(key)
        draft = path.with_suffix(f".{os.getpid()}.{run.id}")
        draft.write_bytes(orjson.dumps(runs))
        draft.replace(path)

    def _runs(self, key: str) -> list[object]:
        try:
            found = orjson.loads(self._path(key).read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return []
        return found if isinstance(found, list) else []

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def key_of(questions: Sequence[GoldenQuestion], mode: str) -> str:
    """Equal for equal questions in the same mode, whatever the collection is called."""
    rows = [mode, *([question.query, *question.relevant] for question in questions)]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:32]


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # replaced at this very moment
        return 0.0
