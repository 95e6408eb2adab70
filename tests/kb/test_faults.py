"""Killed, emptied, restarted: SQLite is the truth, and the index comes back to it."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.kb import processes
from tests.kb.conftest import Kb, StartKb
from tests.kb.test_ingestion import rows, upload, vector_count
from tests.support.ports import free_port
from tests.support.wait import until

FILES = {
    f"doc-{number}.md": f"# Title {number}\n\n{'Some words to embed. ' * 8}{number}".encode()
    for number in range(24)
}


@contextmanager
def kb_process(data_dir: Path, port: int, engines: dict[str, str]) -> Iterator[tuple[Kb, int]]:
    environ = {"TRIVET_DATA_DIR": str(data_dir), "KB_PORT": str(port), **engines}
    command = processes.python("-m", "services.kb")
    with processes.process(command, environ, data_dir / "log") as started:
        base_url = f"http://127.0.0.1:{port}"
        processes.wait_for(f"{base_url}/livez")
        kb = Kb(base_url, data_dir)
        yield kb, started.pid
        kb.close()


def test_kill_9_in_the_middle_of_an_ingestion_loses_and_doubles_nothing(
    tmp_path: Path, engines: dict[str, str], chroma_url: str
) -> None:
    port = free_port()
    job_id = ""
    for _ in range(2):
        with kb_process(tmp_path, port, engines) as (kb, pid):
            before = placed(tmp_path)
            job_id = job_id or upload(kb, FILES).json()["id"]
            until(partial(more_placed, tmp_path, before), 30, "some passages are embedded")
            os.kill(pid, signal.SIGKILL)
            until(lambda: not processes.answers(f"{kb.base_url}/livez"), 10)
    with kb_process(tmp_path, port, engines) as (kb, _):
        job = kb.job(job_id)
        assert (job["state"], job["files_done"]) == ("done", len(FILES))
        assert kb.collection()["documents"] == len(FILES)
        assert len(rows(kb, "SELECT DISTINCT document_id FROM chunks")) == len(FILES)
        until(lambda: vector_count(kb, chroma_url) == kb.collection()["chunks"], 20)
        assert kb.sources("Title 17", top_k=1) == ["doc-17.md#title-17"]
        assert list((tmp_path / "kb-uploads").iterdir()) == []


def more_placed(data_dir: Path, before: int) -> bool:
    return placed(data_dir) > before


def placed(data_dir: Path) -> int:
    with sqlite3.connect(data_dir / "kb.db") as connection:
        return int(connection.execute("SELECT count(*) FROM vectors").fetchone()[0])


def test_two_instances_on_one_database_take_turns(
    start_kb: StartKb, engines: dict[str, str], chroma_url: str
) -> None:
    one, two = start_kb(**engines), start_kb(**engines, TRIVET_INSTANCE="1")
    jobs = [
        upload(one, dict(list(FILES.items())[:6])),
        upload(two, dict(list(FILES.items())[6:12])),
    ]
    two.put("two.md", "# Two\n\nput by the second instance")
    for job, kb in zip(jobs, (two, one), strict=True):
        assert kb.job(job.json()["id"])["state"] == "done"
    one.indexed()
    until(lambda: vector_count(one, chroma_url) == one.collection()["chunks"] == 13, 20)
    assert one.sources("second instance", top_k=1) == two.sources("second instance", top_k=1)


def test_an_index_that_chroma_lost_is_made_again_without_embedding(
    tmp_path: Path, start_kb: StartKb, engines: dict[str, str]
) -> None:
    port = free_port()
    settings = {**engines, "TRIVET_CHROMA_URL": f"http://127.0.0.1:{port}"}
    kb = start_kb(**settings)
    with processes.chroma(tmp_path / "first", port) as chroma_url:
        kb.put("zh.md", "# 备份\n\n先停止，再复制。")
        kb.put("en.md", "# Garden\n\nRoses need water.")
        kb.indexed()
        before = kb.search("如何备份", mode="dense")["results"]
        vectors = rows(kb, "SELECT * FROM vectors")
    found = kb.search("如何备份")
    assert found["degraded"] == ["vector_index"]
    assert found["results"][0]["source"] == "zh.md#备份"
    with processes.chroma(tmp_path / "second", port) as chroma_url:

        def healed() -> bool:
            again = kb.search("如何备份", mode="dense")
            return not again["degraded"] and again["results"] == before

        until(healed, 40, "the index is healed")
        assert vector_count(kb, chroma_url) == 2
        assert rows(kb, "SELECT * FROM vectors") == vectors


def test_a_rebuild_gives_equal_results(kb: Kb, chroma_url: str) -> None:
    for name, content in list(FILES.items())[:8]:
        kb.put(name, content.decode())
    kb.put("zh.md", "# 备份\n\n先停止，再复制。")
    kb.indexed()
    queries = ["Title 3", "如何备份", "words", "some 7"]
    before = [kb.search(query, top_k=5)["results"] for query in queries]
    with sqlite3.connect(kb.data_dir / "kb.db") as connection:
        connection.execute("DELETE FROM terms_1")
    assert kb.sources("Title 3", mode="lexical") == []
    job = kb.admin.post("/api/collections/site/rebuild")
    assert job.status_code == 202
    assert kb.job(job.json()["id"])["state"] == "done"
    assert [kb.search(query, top_k=5)["results"] for query in queries] == before
    until(lambda: vector_count(kb, chroma_url) == 9, 10)


def test_vectors_of_another_model_are_never_compared(kb: Kb) -> None:
    kb.put("zh.md", "# 备份\n\n先停止，再复制。")
    kb.indexed()
    with sqlite3.connect(kb.data_dir / "kb.db") as connection:
        connection.execute("UPDATE collections SET model_key = 'another'")
    assert kb.collection()["state"] == "model_changed"
    found = kb.search("如何备份")
    assert found["degraded"] == ["model_changed"]
    assert found["results"][0]["source"] == "zh.md#备份"
    job = kb.admin.post("/api/collections/site/rebuild").json()
    kb.job(job["id"])
    assert kb.search("如何备份")["degraded"] == []


def test_an_ingestion_waits_for_the_embedder_and_then_ends(
    tmp_path: Path, start_kb: StartKb, engines: dict[str, str]
) -> None:
    first = start_kb(TRIVET_CHROMA_URL=engines["TRIVET_CHROMA_URL"])
    job = upload(first, {"a.md": b"# A\n\nalpha words"}).json()
    until(lambda: first.sources("alpha", mode="lexical") == ["a.md#a"], 10)
    view = first.admin.get(f"/api/jobs/{job['id']}").json()
    assert (view["state"], view["chunks_done"]) == ("running", 0)
    second = start_kb(**engines, TRIVET_INSTANCE="1")
    assert second.collection()["pending"] == 1, "the first one's worker goes on waiting"
