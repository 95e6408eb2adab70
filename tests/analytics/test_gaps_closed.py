"""A gap from its first question to its golden query, beside a real kb, embedder and Chroma."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from services.analytics import chores
from services.analytics.app import create_app
from services.analytics.settings import Settings
from services.cli.app import create_cli
from services.kb.app import create_app as create_kb
from services.kernel.auth import ensure_token
from tests.kb.conftest import EmbedderProcess, Kb, engines_for, settings_of
from tests.support.ports import free_port
from tests.support.server import running
from tests.support.wait import until

pytestmark = [pytest.mark.process, pytest.mark.stack]

LIBRARY = {
    "zh/backup.md": "# 备份\n\n## 如何备份数据？\n\n先停止程序，把 `data/` 目录复制到安全的地方。",
    "en/office.md": "# The office\n\nWe are open from nine to five on weekdays.",
}
INVOICE = ("如何开具发票？", "怎么开具发票", "如何开具发票")
TYRE = "how do I mend the tyre of a bicycle"


@dataclass(frozen=True)
class Both:
    """analytics' administrator, and the kb whose searches it is told of."""

    analytics: httpx.Client
    kb: Kb

    def gaps(self, state: str = "open") -> list[dict[str, Any]]:
        page = self.analytics.get("/api/analytics/gaps", params={"state": state}).json()
        items: list[dict[str, Any]] = page["items"]
        return items

    def gap_with(self, questions: set[str]) -> dict[str, Any]:
        """The gap that holds these questions, once it does."""

        def found() -> dict[str, Any] | None:
            fitting = (g for g in self.gaps() if {q["text"] for q in g["questions"]} == questions)
            return next(fitting, None)

        return until(found, 30, f"{questions} are one gap") or {}


@pytest.fixture
def both(
    tmp_path: Path, embedder: EmbedderProcess, chroma_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Both]:
    monkeypatch.setattr(chores, "_GAPS_SECONDS", 0.2)
    kb_port = free_port()
    engines = engines_for(tmp_path, embedder, chroma_url)
    settings = Settings(
        data_dir=tmp_path,
        kb_urls=(f"http://127.0.0.1:{kb_port}",),
        embedder_url=embedder.base_url,
    )
    with ExitStack() as stack:
        base_url = stack.enter_context(running(create_app(settings)))
        told = settings_of(tmp_path, TRIVET_ANALYTICS_URLS=base_url, **engines)
        kb = Kb(stack.enter_context(running(create_kb(told), port=kb_port)), tmp_path)
        stack.callback(kb.close)
        headers = {"Authorization": f"Bearer {ensure_token(settings.admin_token_path)}"}
        client = httpx.Client(base_url=base_url, headers=headers, timeout=90, trust_env=False)
        yield Both(stack.enter_context(client), kb)


def test_what_people_searched_for_in_vain_is_answered_found_and_measured(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for source, content in LIBRARY.items():
        both.kb.put(source, content)
    both.kb.indexed()
    for question in (*INVOICE, TYRE, "如何备份数据"):
        both.kb.visitor.get("/api/search", params={"q": question}).raise_for_status()
    gap = both.gap_with(set(INVOICE))
    answered = both.analytics.post(
        f"/api/analytics/gaps/{gap['id']}/answer",
        json={"content": "在“订单”页面点击“开具发票”，填写抬头和税号，发票会发送到邮箱。"},
    )
    assert answered.status_code == 200, answered.text
    told = answered.json()
    source = f"answers/gap-{gap['id']}.md"
    assert (told["state"], told["source"]) == ("answered", source)
    assert {replay["question"] for replay in told["replay"]} == set(INVOICE)
    for replay in told["replay"]:
        assert replay["before"]["rank"] is None
        assert replay["after"]["rank"] == 1
        assert replay["after"]["top_score"] > (replay["before"]["top_score"] or 0)
    assert both.kb.sources(INVOICE[0])[0].partition("#")[0] == source
    assert gap["id"] not in [open_gap["id"] for open_gap in both.gaps()]
    assert told["replay"] == both.gaps("answered")[0]["replay"]

    golden = both.analytics.get("/api/analytics/gaps/golden").text
    assert {json.loads(line)["query"] for line in golden.splitlines()} == set(INVOICE)
    (tmp_path / "golden.jsonl").write_text(golden, encoding="utf-8")
    monkeypatch.setenv("TRIVET_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(
        create_cli(), ["evaluate", "golden.jsonl", "--url", both.kb.base_url]
    )
    assert result.exit_code == 0, result.output
    assert "1.000" in result.output


def test_a_neighbour_may_store_answers_and_nothing_else(both: Both) -> None:
    token = ensure_token(both.kb.data_dir / "service-token")
    headers = {"Authorization": f"Bearer {token}"}

    def put(source: str) -> int:
        body = {"source": source, "content": "something"}
        return both.kb.visitor.put("/api/documents", json=body, headers=headers).status_code

    assert put("answers/gap-1.md") == 200
    for source in ("zh/backup.md", "answers", "x/answers/a.md", "answers/../zh/backup.md"):
        assert put(source) in (403, 422), source
    assert [d["source"] for d in both.kb.admin.get("/api/documents").json()["items"]] == [
        "answers/gap-1.md"
    ]
    assert both.kb.visitor.get("/api/documents", headers=headers).status_code == 403
