"""`trivet workflow` as a person types it, against a running gateway."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.kb.processes import ROOT, python
from tests.llm_proxy.workflows.conftest import House, Start, empty_database, start

__all__ = ["empty_database", "start"]
pytestmark = pytest.mark.process

FAQ = {"questions": [{"question": "Why?", "answer": "So."}]}


def trivet(*arguments: str, house: House | None = None) -> subprocess.CompletedProcess[str]:
    own = {}
    if house is not None:
        own = {
            "TRIVET_DATA_DIR": str(house.folder / "data"),
            "TRIVET_LLM_PROXY_URLS": ",".join(house.urls),
        }
    command = python("-m", "services.cli", "workflow", *arguments)
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_projects_own_workflows_pass_the_check() -> None:
    done = trivet("check")
    assert done.returncode == 0, done.stderr
    assert {"translation: good", "briefing: good", "faq: good"} <= {*done.stdout.splitlines()}


def test_the_check_names_each_mistake_and_fails(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"title": {"en": "x", "zh": "y"}}))
    done = trivet("check", str(tmp_path))
    assert done.returncode == 1
    assert "error: mine.yaml: steps: Field required" in done.stderr
    assert trivet("check", str(tmp_path / "nothing")).returncode == 1


def test_a_workflow_of_ones_own_runs_and_prints_its_result(start: Start, tmp_path: Path) -> None:
    document = tmp_path / "notes.md"
    document.write_text("Trivet holds a pot.", encoding="utf-8")
    with start() as house:
        house.model.answer = lambda body: (
            json.dumps(FAQ) if body.get("response_format") else "It is about pots."
        )
        listed = trivet("list", house=house)
        assert listed.returncode == 0 and "faq" in listed.stdout, listed.stderr
        done = trivet("run", "faq", "-i", f"document=@{document}", house=house)
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert result["questions"] == FAQ["questions"]
        assert "── summarise\nIt is about pots." in done.stderr
        wrong = trivet("run", "faq", "-i", "document", house=house)
        assert wrong.returncode == 1 and "NAME=VALUE" in wrong.stderr
        missing = trivet("run", "faq", house=house)
        assert missing.returncode == 1 and "inputs.document: is missing" in missing.stderr
        house.model.answer = lambda body: ""
        failed = trivet("run", "faq", "-i", "document=x", "--quiet", house=house)
        assert failed.returncode == 1 and "does not fit" in failed.stderr


def test_a_task_that_failed_is_started_again(start: Start) -> None:
    with start() as house:
        house.model.answer = lambda body: "" if body.get("response_format") else "About pots."
        failed = trivet("run", "faq", "-i", "document=x", "--quiet", house=house)
        assert failed.returncode == 1
        task_id = failed.stderr.rpartition("trivet workflow retry ")[2].strip(" )\n")
        house.model.answer = lambda body: json.dumps(FAQ)
        done = trivet("retry", task_id, house=house)
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert result["questions"] == FAQ["questions"] and result["summary"] == "About pots."
        assert trivet("retry", task_id, house=house).returncode == 1
