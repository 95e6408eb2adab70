"""`.env.example`: every setting as a comment with its default, what most sites need first."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from scripts.docs.settings import Chapter, chapters, default_text, meaning
from services.kernel.settings import Setting

_INTRO = """\
# Copy this file to .env, take the # away before what you set, and run `make run`.
# A line that stays a comment has its default, which is what is written in it. docs/settings.md
# lists the same. Made by `python -m scripts.docs`: do not edit it here.
"""
_FIRST = {
    "A provider: with one key the answers become good": (
        "DOUBAO_API_KEY",
        "DASHSCOPE_API_KEY",
        "DASHSCOPE_APP_ID",
        "DEEPSEEK_API_KEY",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
    ),
    "Your site": (
        "DOMAIN",
        "TRIVET_TLS_CERTIFICATE",
        "TRIVET_TLS_KEY",
        "TRIVET_PREFIX",
        "TRIVET_HTTP_PORT",
        "TRIVET_ALLOWED_ORIGINS",
        "LLM_PROXY_ANONYMOUS",
        "ANALYTICS_STORE_QUESTIONS",
    ),
}
# PM2 gives each process its own number.
NOT_FOR_PEOPLE = {"TRIVET_INSTANCE"}


def environment_example() -> str:
    """The file's text."""
    found = chapters()
    rows = {row.name: (row, hint) for chapter in found for row, hint in chapter.rows}
    first = {name for names in _FIRST.values() for name in names} | NOT_FOR_PEOPLE
    wanted = [
        Chapter(title, tuple(rows[name] for name in names)) for title, names in _FIRST.items()
    ]
    for chapter in found:
        rest = tuple(pair for pair in chapter.rows if pair[0].name not in first)
        wanted.append(Chapter(chapter.title, rest))
    return "\n".join([_INTRO, *_sections(wanted)])


def _sections(wanted: Iterable[Chapter]) -> Iterable[str]:
    for chapter in wanted:
        if chapter.rows:
            yield f"# --- {chapter.title}\n"
            yield from (_entry(row, meaning(row, hint)) for row, hint in chapter.rows)


def _entry(row: Setting, about: str) -> str:
    words = textwrap.fill(about.replace("*", ""), 96, initial_indent="# ", subsequent_indent="# ")
    return f"{words}\n#{row.name}={default_text(row)}\n"
