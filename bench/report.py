"""Results as tables: on the terminal, and as sections of docs/benchmarks.md."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable

NOT_MEASURED = "–"
PREAMBLE = """\
# Benchmarks

Written by `make bench` (`python -m bench`); every figure below was measured by the command and on
the machine named with it. Rates depend on the machine and on its neighbours: the ratios and the
CPU times are what travels.
"""


@dataclass(frozen=True)
class Table:
    """A heading, columns and rows of finished text."""

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True)
class Chart:
    file_name: str
    alternative: str  # for those who do not see it
    svg: str


@dataclass(frozen=True)
class Result:
    """What one suite found."""

    suite: str
    title: str
    introduction: str
    tables: Sequence[Table]
    charts: Sequence[Chart] = ()
    warnings: Sequence[str] = ()
    raw: object = field(default=None)  # everything measured, for the JSON file
    reached: bool = True  # every target that was measured


def figure(value: float | None, unit: str = "") -> str:
    """A number with three significant digits, thousands kept whole."""
    if value is None:
        return NOT_MEASURED
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}".rstrip()


def mark(holds: bool | None) -> str:
    return NOT_MEASURED if holds is None else ("✓" if holds else "✗")


def show(result: Result, console: Console) -> None:
    for table in result.tables:
        shown = RichTable(title=table.heading, caption=table.note or None, title_justify="left")
        for number, column in enumerate(table.columns):
            shown.add_column(column, justify="left" if number == 0 else "right")
        for row in table.rows:
            shown.add_row(*(cell.replace("✗", "[red]✗[/red]") for cell in row))
        console.print(shown)
    for warning in result.warnings:
        console.print(f"[yellow]{warning}[/yellow]")


def to_markdown(result: Result, machine: str) -> str:
    """The suite's section, without the marks around it."""
    parts = [f"## {result.title}", result.introduction, machine]
    parts += [f"![{chart.alternative}](images/{chart.file_name})" for chart in result.charts]
    for table in result.tables:
        parts += [f"### {table.heading}", markdown_table(table)]
        parts += [table.note] if table.note else []
    parts += [f"> {warning}" for warning in result.warnings]
    return "\n\n".join(part.strip() for part in parts if part.strip())


def markdown_table(table: Table) -> str:
    lines = [cells(table.columns), "|---" + "|---:" * (len(table.columns) - 1) + "|"]
    return "\n".join([*lines, *(cells(row) for row in table.rows)])


def cells(texts: Sequence[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"


def with_section(document: str, name: str, section: str) -> str:
    """`document` with the suite's section replaced or added; others stay as they are."""
    begin, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    block = f"{begin}\n{section}\n{end}"
    found = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if found.search(document):
        return found.sub(lambda _: block, document)
    return f"{(document or PREAMBLE).rstrip()}\n\n{block}\n"


def write(result: Result, machine: str, document: Path) -> None:
    """Put the result into `document` and its charts into the folder `images` beside it."""
    known = document.read_text(encoding="utf-8") if document.exists() else ""
    section = to_markdown(result, machine)
    document.parent.mkdir(parents=True, exist_ok=True)
    document.write_text(with_section(known, result.suite, section), encoding="utf-8")
    images = document.parent / "images"
    images.mkdir(exist_ok=True)
    for chart in result.charts:
        (images / chart.file_name).write_text(chart.svg, encoding="utf-8")
