"""`trivet evaluate` against a running kb."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.app import create_cli
from tests.kb.conftest import Kb


def squad(path: Path, rows: list[tuple[str, str]]) -> str:
    paragraphs = [{"context": text, "qas": [{"question": asked}]} for text, asked in rows]
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}), encoding="utf-8")
    return str(path)


@pytest.fixture
def run(kb: Kb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    monkeypatch.setenv("TRIVET_DATA_DIR", str(kb.data_dir))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return CliRunner()


def test_files_in_two_languages_are_asked_in_all_pairs(
    run: CliRunner, kb: Kb, tmp_path: Path
) -> None:
    english = [
        ("The kettle is made of copper.", "What is the kettle made of?"),
        ("Roses bloom in May.", "When do the roses bloom?"),
    ]
    chinese = [("水壶是铜做的。", "水壶是用什么做的？"), ("玫瑰五月开花。", "玫瑰什么时候开花？")]
    files = [squad(tmp_path / "en.json", english), squad(tmp_path / "zh.json", chinese)]
    command = ["evaluate", *files, "--mode", "hybrid", "--no-answer", "--url", kb.base_url]
    result = run.invoke(create_cli(), command)
    assert result.exit_code == 0, result.output
    for title in ("en → en", "zh → en", "en → zh", "zh → zh", "en → en + zh", "zh → en + zh"):
        assert title in result.output
    assert "min_score" in result.output
    names = [item["name"] for item in kb.admin.get("/api/collections").json()["items"]]
    assert not [name for name in names if name.startswith("evaluation")], (
        "the scratch collections are gone"
    )
    again = run.invoke(create_cli(), command)
    assert "(+0.000)" in again.output


def test_golden_queries_name_documents_of_a_collection(
    run: CliRunner, kb: Kb, tmp_path: Path
) -> None:
    kb.put("kettle.txt", "The kettle is made of copper.")
    kb.indexed()
    golden = tmp_path / "golden.jsonl"
    golden.write_text('{"query": "copper kettle", "relevant": ["kettle.txt"]}\n')
    result = run.invoke(
        create_cli(), ["evaluate", str(golden), "--mode", "lexical", "--url", kb.base_url]
    )
    assert result.exit_code == 0, result.output
    assert "1.000" in result.output


def test_a_file_that_is_neither_is_one_line(run: CliRunner, kb: Kb, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")
    result = run.invoke(create_cli(), ["evaluate", "bad.json", "--url", kb.base_url])
    assert result.exit_code == 1
    assert "SQuAD" in result.output
