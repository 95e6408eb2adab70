"""Killed, emptied, restarted: SQLite is the truth, and the index comes back to it."""

import array
import base64
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

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
    away = {
        "TRIVET_CHROMA_PORT": str(free_port()),
        "KB_EMBEDDER_PORT": str(free_port()),
        "TRIVET_ANALYTICS_URLS": f"http://127.0.0.1:{free_port()}",
    }
    environ = {"TRIVET_DATA_DIR": str(data_dir), "KB_PORT": str(port), **away, **engines}
    command = processes.python("-m", "services.kb")
    with processes.process(command, environ, data_dir / "log") as started:
        base_url = f"http://127.0.0.1:{port}"
        processes.wait_for(f"{base_url}/livez")
        kb = Kb(base_url, data_dir)
        yield kb, started.pid
        kb.close()


@pytest.mark.process
def test_kill_9_in_the_middle_of_an_ingestion_loses_and_doubles_nothing(
    tmp_path: Path, engines: dict[str, str], chroma_url: str
) -> None:
    """Twenty times in a row, each time a little later: while files are read, cut, stored, embedded
    and put into the index."""
    port = free_port()
    job_id = ""
    for kill in range(20):
        with kb_process(tmp_path, port, engines) as (kb, pid):
            before = done_of(tmp_path)
            job_id = job_id or upload(kb, FILES).json()["id"]
            steps = 1 + kill % 3
            until(partial(further_than, tmp_path, before + steps), 30, "some work is done")
            os.kill(pid, signal.SIGKILL)
            until(lambda: not processes.answers(f"{kb.base_url}/livez"), 10)
    with kb_process(tmp_path, port, engines) as (kb, _):
        job = kb.job(job_id)
        assert (job["state"], job["files_done"]) == ("done", len(FILES))
        assert kb.collection()["documents"] == len(FILES)
        assert len(rows(kb, "SELECT DISTINCT document_id FROM chunks")) == len(FILES)
        assert len(rows(kb, "SELECT DISTINCT text FROM chunks")) == kb.collection()["chunks"]
        assert kb.sources("Title 11", mode="lexical", top_k=1) == ["doc-11.md#title-11"]
        until(lambda: vector_count(kb, chroma_url) == kb.collection()["chunks"], 20)
        assert kb.sources("Title 17", top_k=1) == ["doc-17.md#title-17"]
        spooled = tmp_path / "kb-uploads"
        until(lambda: list(spooled.iterdir()) == [], 10, "no upload is left over")


def further_than(data_dir: Path, steps: int) -> bool:
    return done_of(data_dir) >= min(steps, 3 * len(FILES))


def done_of(data_dir: Path) -> int:
    """Steps of the work that are done: files stored, passages embedded, passages in the index."""
    with sqlite3.connect(data_dir / "kb.db") as connection:
        (stored, embedded, placed) = connection.execute(
            "SELECT (SELECT count(*) FROM job_files WHERE state = 'stored'),"
            " (SELECT count(*) FROM vectors), (SELECT count(*) FROM chunks WHERE id NOT IN"
            " (SELECT chunk_id FROM pending))"
        ).fetchone()
    return int(stored + embedded + placed)


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
    settings = {**engines, "KB_CHROMA_URL": f"http://127.0.0.1:{port}"}
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


def damaged(folder: Path, how: str) -> None:
    """As a full disk, a power cut or a careless hand leaves a folder."""
    if how == "its database is noise":
        (folder / "chroma.sqlite3").write_bytes(os.urandom(50_000))
    elif how == "its database is cut":
        os.truncate(folder / "chroma.sqlite3", 40_000)
    elif how == "its vectors are noise":
        for path in folder.glob("*-*/*.bin"):
            path.write_bytes(os.urandom(path.stat().st_size))
    elif how == "its vectors are gone":
        for path in folder.glob("*-*"):
            shutil.rmtree(path)
    else:
        shutil.rmtree(folder)


@pytest.mark.process
@pytest.mark.parametrize(
    "how",
    [
        "its database is noise",
        "its database is cut",
        "its vectors are noise",
        "its vectors are gone",
        "all of it is gone",
    ],
)
def test_a_damaged_index_heals_without_embedding(
    how: str, tmp_path: Path, start_kb: StartKb, engines: dict[str, str]
) -> None:
    port, folder = free_port(), tmp_path / "chroma"
    kb = start_kb(**{**engines, "KB_CHROMA_URL": f"http://127.0.0.1:{port}"})
    with processes.chroma(folder, port):
        kb.put("zh.md", "# 备份\n\n先停止，再复制。")
        kb.put("en.md", "# Garden\n\nRoses need water.")
        kb.indexed()
        fill_index(kb, f"http://127.0.0.1:{port}")
        before = kb.search("如何备份", mode="dense")["results"]
        vectors = rows(kb, "SELECT * FROM vectors")
    damaged(folder, how)
    assert kb.search("如何备份")["degraded"] == ["vector_index"]
    check = kb.visitor.get("/readyz").json()["checks"]["vector_index"]
    assert check["ok"] is False
    with processes.chroma(folder, port):

        def healed() -> bool:
            again = kb.search("如何备份", mode="dense")
            return not again["degraded"] and again["results"] == before

        until(healed, 60, "the index is healed")
        assert rows(kb, "SELECT * FROM vectors") == vectors, "nothing is embedded again"
        until(lambda: vector_count(kb, f"http://127.0.0.1:{port}") == 2, 20)


def fill_index(kb: Kb, chroma_url: str) -> None:
    """So many vectors that Chroma writes its files: it does so only with some thousand."""
    ((name,),) = rows(kb, "SELECT index_name FROM collections WHERE name = 'site'")
    base = f"{chroma_url}/api/v2/tenants/default_tenant/databases/default_database/collections"
    path = f"{base}/{httpx.get(f'{base}/{name}', trust_env=False).json()['id']}"
    noise = array.array("f", [1.0] + [0.0] * 383).tobytes()
    vector = base64.b64encode(noise).decode()
    ids = [str(1_000_000 + number) for number in range(1_000)]
    body = {"ids": ids, "embeddings": [vector] * len(ids)}
    httpx.post(f"{path}/upsert", json=body, timeout=60, trust_env=False).raise_for_status()
    httpx.post(f"{path}/delete", json={"ids": ids}, timeout=60, trust_env=False).raise_for_status()


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
    first = start_kb(KB_CHROMA_URL=engines["KB_CHROMA_URL"])
    job = upload(first, {"a.md": b"# A\n\nalpha words"}).json()
    until(lambda: first.sources("alpha", mode="lexical") == ["a.md#a"], 10)
    view = first.admin.get(f"/api/jobs/{job['id']}").json()
    assert (view["state"], view["chunks_done"]) == ("running", 0)
    second = start_kb(**engines, TRIVET_INSTANCE="1")
    assert second.collection()["pending"] == 1, "the first one's worker goes on waiting"


def test_a_rebuild_holds_up_nothing_else_and_misses_nothing(kb: Kb, chroma_url: str) -> None:
    """What comes and goes while an index is made anew is in the new one, and not in it."""
    made = [kb.put(name, content.decode()) for name, content in FILES.items()]
    for name, content in FILES.items():
        kb.put(f"more/{name}", f"{content.decode()} more {'words ' * 150}")
    kb.indexed()
    with sqlite3.connect(kb.data_dir / "kb.db") as connection:
        connection.execute("DELETE FROM vectors")  # so that the rebuild takes its time
    job = kb.admin.post("/api/collections/site/rebuild").json()
    until(lambda: kb.admin.get(f"/api/jobs/{job['id']}").json()["chunks_done"], 30, "it began")
    kb.put("meanwhile.md", "# Meanwhile\n\nA heron came by.")
    kb.admin.delete(f"/api/documents/{made[3]['id']}")
    assert kb.job(job["id"])["state"] == "done"
    kb.indexed()
    assert kb.sources("a heron", top_k=1) == ["meanwhile.md#meanwhile"]
    assert "doc-3.md#title-3" not in kb.sources("Title 3", top_k=50)
    until(lambda: vector_count(kb, chroma_url) == kb.collection()["chunks"], 20)
