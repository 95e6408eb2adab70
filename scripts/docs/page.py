"""What every made page shares."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MADE = "<!-- Made by `python -m scripts.docs`. Do not edit: edit the code and run it again. -->"


def cell(text: str) -> str:
    """Text that fits into one cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")
