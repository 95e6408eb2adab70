"""`trivet` as a person types it, against a running kb."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.kb.conftest import Kb
from tests.kb.processes import ROOT, python
from tests.support.ports import free_port

pytestmark = pytest.mark.process


def trivet(kb: Kb, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "TRIVET_DATA_DIR": str(kb.data_dir), "TRIVET_KB_URLS": kb.base_url}
    command = python("-m", "services.cli", *arguments)
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=90, check=False
    )


@pytest.fixture
def guide(tmp_path: Path) -> Path:
    folder = tmp_path / "guide"
    folder.mkdir()
    (folder / "backup.md").write_text("# 备份\n\n先停止，再复制。", encoding="utf-8")
    (folder / "garden.md").write_text("# Garden\n\nRoses need water.", encoding="utf-8")
    return folder


def test_ingest_synchronises_a_folder(kb: Kb, guide: Path) -> None:
    first = trivet(kb, "ingest", str(guide))
    assert first.returncode == 0, first.stderr
    assert first.stdout == "site: 2 added, 0 changed, 0 unchanged, 0 removed\n"
    assert "100 %" in first.stderr
    assert kb.collection()["pending"] == 0, "it waits for the embedding"
    assert kb.sources("如何备份", top_k=1) == ["guide/backup.md#备份"]

    (guide / "backup.md").write_text("# 备份\n\n先停止，再复制，最后启动。", encoding="utf-8")
    (guide / "garden.md").unlink()
    (guide / "new.txt").write_text("something new", encoding="utf-8")
    second = trivet(kb, "ingest", str(guide))
    assert second.stdout == "site: 1 added, 1 changed, 0 unchanged, 1 removed\n"
    again = trivet(kb, "ingest", str(guide))
    assert again.stdout == "site: 0 added, 0 changed, 2 unchanged, 0 removed\n"


def test_a_bad_file_is_named_and_does_not_stop_the_rest(kb: Kb, guide: Path) -> None:
    (guide / "broken.txt").write_bytes(b"\xff\xfe\x00")
    ended = trivet(kb, "ingest", str(guide), "--collection", "other")
    assert ended.returncode == 1
    assert "error: guide/broken.txt: The file is not text in UTF-8." in ended.stderr
    assert ended.stdout == "other: 2 added, 0 changed, 0 unchanged, 0 removed, 1 failed\n"
    assert kb.collection("other")["documents"] == 2


def test_search_prints_passages_or_json(lonely_kb: Kb) -> None:
    lonely_kb.put("guide/backup.md", "# 备份\n\n先停止，再复制。")
    shown = trivet(lonely_kb, "search", "如何备份")
    assert "guide/backup.md#备份" in shown.stdout
    found = json.loads(trivet(lonely_kb, "search", "如何备份", "--json").stdout)
    assert found["results"][0]["source"] == "guide/backup.md#备份"


def test_rebuild_says_what_it_did(kb: Kb) -> None:
    kb.put("a.md", "# A\n\none\n\n## B\n\ntwo")
    kb.indexed()
    assert trivet(kb, "kb", "rebuild").stderr.count("site: 2 passages rebuilt") == 1
    unknown = trivet(kb, "kb", "rebuild", "--collection", "none")
    assert unknown.returncode == 1
    assert "error: There is no collection none." in unknown.stderr


def test_evaluate_prints_the_measures_and_leaves_nothing(kb: Kb, tmp_path: Path) -> None:
    paragraphs = [
        {"context": "Roses need water.", "qas": [{"question": "What do roses need?"}]},
        {"context": "备份先停止，再复制。", "qas": [{"question": "如何备份？"}]},
    ]
    golden = tmp_path / "golden.json"
    golden.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}), encoding="utf-8")
    ended = trivet(kb, "evaluate", str(golden))
    assert ended.returncode == 0, ended.stderr
    for mode in ("hybrid", "dense", "lexical"):
        lines = [line for line in ended.stdout.splitlines() if mode in line]
        assert [line.count("1.000") for line in lines] == [5, 5, 5]
        for languages, line in zip(("all → all", "en → ", "zh → zh"), lines, strict=True):
            assert languages in line
    names = {item["name"] for item in kb.admin.get("/api/collections").json()["items"]}
    assert names == {"site", "poems"}


def test_what_goes_wrong_is_one_line(lonely_kb: Kb, tmp_path: Path) -> None:
    missing = trivet(lonely_kb, "ingest", str(tmp_path / "none"))
    assert missing.returncode == 1
    assert missing.stderr.strip().splitlines()[-1].startswith("error: ")
    away = trivet(lonely_kb, "search", "x", "--url", f"http://127.0.0.1:{free_port()}")
    assert away.returncode == 1
    assert "is Trivet running? (make run)" in away.stderr
    assert "Traceback" not in away.stderr
