"""Puts settings in the place of @NAMES@ in configuration templates.

Not envsubst: nginx's own variables look like the shell's. An unknown name and a value that could
break out of its place are errors, never empty strings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from scripts.stack.console import Problem

_PLACEHOLDER = re.compile(r"@([A-Z][A-Z0-9_]*)@")


def render(text: str, values: Mapping[str, str], name: str) -> str:
    """`text` with every placeholder replaced. Raises Problem for one that nobody gives a value."""
    unknown = sorted(set(_PLACEHOLDER.findall(text)) - values.keys())
    if unknown:
        raise Problem(f"{name} asks for {', '.join(unknown)}, which is no setting: mend the file")
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def render_tree(source: Path, target: Path, values: Mapping[str, str]) -> None:
    """Every file below `source`, rendered to the same place below `target`."""
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        inner = path.relative_to(source)
        (target / inner).parent.mkdir(parents=True, exist_ok=True)
        text = render(path.read_text(encoding="utf-8"), values, str(inner))
        (target / inner).write_text(text, encoding="utf-8")
