"""config/workflows at work: every definition with its prompts, taken anew when a file changes.

A broken definition takes nothing else with it: the others run, `/readyz` says what is wrong, and a
workflow that was sound before stays as it was.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from anyio import to_thread

from services.kernel.errors import ConfigurationError, NotFound
from services.kernel.health import Check
from services.llm_proxy.configuration import checked, expand, load_yaml
from services.llm_proxy.workflows.check import KnowsModel, problems_of
from services.llm_proxy.workflows.definition import Definition, Workflow
from services.llm_proxy.workflows.template import BadPrompt, PromptRoom

PROMPTS = "prompts"
MAX_FILE_BYTES = 1024**2
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reading:
    """What a look into the folder found."""

    workflows: Mapping[str, Workflow] = field(default_factory=dict)
    problems: Mapping[str, list[str]] = field(default_factory=dict)  # by file name


def read_folder(
    folder: Path, environ: Mapping[str, str], model_problem: KnowsModel | None = None
) -> Reading:
    """Reads and checks every definition. Never raises: what is wrong is in `problems`."""
    workflows: dict[str, Workflow] = {}
    problems: dict[str, list[str]] = {}
    templates = _templates(folder / PROMPTS, problems)
    for path in sorted(folder.glob("*.yaml")):
        try:
            workflow = _workflow(path, environ, templates)
        except ConfigurationError as error:
            problems[path.name] = list(error.problems)
            continue
        found = problems_of(workflow, model_problem)
        if found:
            problems[path.name] = [f"{path.name}: {problem}" for problem in found]
        else:
            workflows[workflow.name] = workflow
    if not workflows and not problems:
        problems[folder.name] = [f"{folder.name}: there is no definition in this folder"]
    return Reading(workflows, problems)


def _workflow(path: Path, environ: Mapping[str, str], templates: Mapping[str, str]) -> Workflow:
    if not _NAME.fullmatch(path.stem):
        raise ConfigurationError(f"{path.name}: the name may have a-z, 0-9 and _ alone")
    raw = load_yaml(_text(path), path.name)
    if isinstance(raw.get("models"), dict):
        raw["models"] = expand(raw["models"], environ)
    definition = checked(Definition, raw, path.name)
    used = _used(definition, templates)
    return Workflow(name=path.stem, definition=definition, templates=used)


def _used(definition: Definition, templates: Mapping[str, str]) -> dict[str, str]:
    """The templates of a definition and what they include."""
    room, waiting = PromptRoom(templates), list(definition.templates)
    used: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name in used or name not in templates:
            continue
        used[name] = templates[name]
        try:
            waiting += room.included(name)
        except BadPrompt:
            continue  # the check says it, with the step's name
    return used


def _templates(folder: Path, problems: dict[str, list[str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            name = path.relative_to(folder).as_posix()
            try:
                found[name] = _text(path)
            except ConfigurationError as error:
                problems[name] = list(error.problems)
    return found


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if len(data) > MAX_FILE_BYTES:
            raise ConfigurationError(f"{path.name}: is larger than {MAX_FILE_BYTES} bytes")
        return data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"{path.name}: cannot be read: it must be UTF-8 text") from exc


class Library:
    """The workflows in force."""

    def __init__(
        self, folder: Path, environ: Mapping[str, str], model_problem: KnowsModel | None = None
    ) -> None:
        self._folder = folder
        self._environ = environ
        self._model_problem = model_problem
        self._seen = self._stamp()
        self._reading = Reading()
        self.reload()

    @property
    def workflows(self) -> Mapping[str, Workflow]:
        return self._reading.workflows

    def get(self, name: str) -> Workflow:
        """Raises NotFound."""
        found = self._reading.workflows.get(name)
        if found is not None:
            return found
        if f"{name}.yaml" in self._reading.problems:
            raise NotFound(f"The definition of {name} is broken: run `trivet workflow check`.")
        raise NotFound(f"There is no workflow {name[:64]!r}.", param="workflow")

    async def watch(self, interval_seconds: float) -> None:
        """Look for changes until cancelled."""
        while True:
            await asyncio.sleep(interval_seconds)
            await to_thread.run_sync(self.refresh)

    def refresh(self) -> None:
        """Read the folder anew if anything in it has changed."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            self.reload()

    def reload(self) -> None:
        """Read the folder; sound definitions that broke stay as they were."""
        fresh = read_folder(self._folder, self._environ, self._model_problem)
        kept = {n: w for n, w in self.workflows.items() if f"{n}.yaml" in fresh.problems}
        for file, problems in fresh.problems.items():
            fields = {"file": file, "problems": problems}
            _log.error("workflow definition refused", extra={"fields": fields})
        self._reading = Reading({**kept, **fresh.workflows}, fresh.problems)

    def check(self) -> Check:
        """Degraded while a definition is broken."""
        lines = [line for lines in self._reading.problems.values() for line in lines]
        return Check(ok=not lines, detail=lines[0] if lines else "", critical=False)

    def _stamp(self) -> tuple[tuple[str, int, int], ...]:
        found: list[tuple[str, int, int]] = []
        folders = [str(self._folder)]
        while folders:
            with suppress(OSError), os.scandir(folders.pop()) as entries:  # it has just gone
                for entry in entries:
                    state = entry.stat()
                    found.append((entry.path, state.st_mtime_ns, state.st_size))
                    if entry.is_dir(follow_symlinks=False):  # a link may lead back here
                        folders.append(entry.path)
        return tuple(sorted(found))
