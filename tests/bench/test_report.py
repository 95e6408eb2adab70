"""The report says what was measured: no figure of it is written down anywhere."""

import random
import re
from pathlib import Path

import pytest

from bench import gateway_report
from bench.gateway_report import COLUMNS, TARGETS
from bench.report import Result, Table, cells, figure, mark, to_markdown, with_section, write
from bench.summary import Sample, Summary

CONTENDERS = ("direct", "nginx", "trivet")


def measured(seed: int, **fixed: float) -> Summary:
    """A whole session of made-up figures; `fixed` names metrics of trivet's that are given."""
    dice = random.Random(seed)
    wanted: dict[str, list[str]] = {}
    for scenario, metric, _, _ in COLUMNS:
        wanted.setdefault(scenario, []).append(metric)
    for target in TARGETS:
        wanted.setdefault(target.scenario, []).append(target.metric)

    def figure_of(name: str, metric: str) -> float:
        made_up = dice.uniform(0.1, 90)
        return fixed.get(metric, made_up) if name == "trivet" else made_up

    samples = [
        Sample(name, scenario, 0, {metric: figure_of(name, metric) for metric in metrics})
        for name in CONTENDERS
        for scenario, metrics in wanted.items()
    ]
    return Summary(samples, "nginx")


def result(seed: int, **fixed: float) -> Result:
    return gateway_report.result(
        measured(seed, **fixed),
        notes=[(name, "as it is") for name in CONTENDERS],
        subject="trivet",
        rounds=seed,
        held_streams=seed * 100,
        minutes=seed / 7,
        warnings=[],
    )


def data_cells(found: Result) -> list[list[str]]:
    """Every cell that shows something measured."""
    targets, figures, _ = found.tables
    shown = [[row[2], *row[4:]] for row in targets.rows] + [list(row[1:]) for row in figures.rows]
    return [list(row) for row in shown]


def test_no_figure_of_the_tables_outlives_other_measurements() -> None:
    one, other = data_cells(result(3)), data_cells(result(4))
    assert len(one) == len(other) == len(TARGETS) + len(COLUMNS)
    for row, changed in zip(one, other, strict=True):
        for cell, next_cell in zip(row, changed, strict=True):
            assert cell != next_cell or cell == "1", f"{cell} stays"  # nginx beside itself is 1


def test_the_introduction_takes_its_numbers_from_the_run() -> None:
    assert "median over 3 rounds" in result(3).introduction
    assert "300 are open at once" in result(3).introduction
    assert "median over 4 rounds" in result(4).introduction


def test_nothing_measured_gives_dashes_and_neither_praise_nor_blame() -> None:
    empty = gateway_report.result(
        Summary([], "nginx"),
        notes=[],
        subject="trivet",
        rounds=1,
        held_streams=1,
        minutes=0,
        warnings=["trivet did not start"],
    )
    targets = empty.tables[0]
    assert {row[2] for row in targets.rows} == {"–"} == {row[3] for row in targets.rows}
    assert empty.charts == []


def test_each_target_is_marked_by_its_own_figure() -> None:
    good, bad = result(5, growth=1.05), result(5, growth=1.2)

    def row(found: Result) -> list[str]:
        return next(list(row) for row in found.tables[0].rows if row[0].startswith("memory after"))

    assert row(good)[1:4] == ["≤ 1.1", "1.05", "✓"]
    assert row(bad)[1:4] == ["≤ 1.1", "1.2", "✗"]
    assert not bad.reached


def test_a_noisy_machine_is_told() -> None:
    quiet = [Sample("nginx", "flood", n, {"foreign_busy_share": 0.01}) for n in range(9)]
    noisy = [Sample("nginx", "flood", 9, {"foreign_busy_share": 0.8})]
    assert gateway_report.quietness(Summary(quiet, "nginx")) == []
    (warning,) = gateway_report.quietness(Summary(quiet + noisy, "nginx"))
    assert "1 of 10" in warning
    assert "80%" in warning


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.04567, "0.0457"), (12.345, "12.3"), (12345.6, "12,346"), (0.0, "0")],
)
def test_figures_keep_three_digits(value: float | None, text: str) -> None:
    assert figure(value) == text


def test_a_unit_follows_its_figure() -> None:
    assert figure(1.5, "ms") == "1.5 ms"
    assert (mark(True), mark(False), mark(None)) == ("✓", "✗", "–")


def test_a_section_is_replaced_and_its_neighbours_stay() -> None:
    document = with_section("", "one", "first")
    document = with_section(document, "two", "second \\1")
    document = with_section(document, "one", "anew")
    assert "first" not in document
    assert document.index("anew") < document.index("second \\1")
    assert document.count("<!-- bench:one -->") == 1
    assert document.startswith("# Benchmarks")


def test_a_bar_in_a_cell_does_not_break_the_table() -> None:
    assert cells(["a|b", "c"]) == "| a\\|b | c |"


def test_document_and_charts_are_written_together(tmp_path: Path) -> None:
    found = result(6)
    document = tmp_path / "docs" / "benchmarks.md"
    write(found, "`python -m bench` on a machine.", document)
    text = document.read_text(encoding="utf-8")
    assert "`python -m bench` on a machine." in text
    (chart,) = re.findall(r"\(images/([^)]+)\)", text)
    assert (document.parent / "images" / chart).read_text().startswith("<svg")


def test_a_table_without_a_note_has_none() -> None:
    table = Table("Heading", ("a", "b"), [("1", "2")])
    text = to_markdown(Result("s", "Title", "Intro.", [table]), "machine")
    assert text.endswith("| 1 | 2 |")
