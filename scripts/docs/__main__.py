"""Writes the pages that are made from code, so that they cannot say anything else.

.venv/bin/python -m scripts.docs           write docs/settings.md, docs/api.md, docs/openapi/ and
                                           .env.example
.venv/bin/python -m scripts.docs --check   name the stale ones; exit 1 when there are any
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.docs.environment import environment_example
from scripts.docs.operations import api_page, applications
from scripts.docs.page import ROOT
from scripts.docs.settings import settings_page


def pages() -> dict[Path, str]:
    """Every made page: its path and what it must hold."""
    with tempfile.TemporaryDirectory() as folder:
        apps = applications(Path(folder))
        made = {
            Path(".env.example"): environment_example(),
            Path("docs/settings.md"): settings_page(),
            Path("docs/api.md"): api_page(apps),
        }
        for name, app in apps.items():
            text = json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"
            made[Path(f"docs/openapi/{name}.json")] = text
    return made


def stale_pages(made: Mapping[Path, str]) -> list[Path]:
    """Those that are missing or differ."""
    return [
        path
        for path, text in made.items()
        if not (ROOT / path).is_file() or (ROOT / path).read_text(encoding="utf-8") != text
    ]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when stale")
    check = parser.parse_args(arguments).check
    made = pages()
    stale = stale_pages(made)
    for path in stale:
        if check:
            print(f"{path} is stale: run `python -m scripts.docs`")
            continue
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(made[path], encoding="utf-8")
        print(f"wrote {path}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
