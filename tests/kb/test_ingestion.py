"""The write way: idempotent, exact in what it keeps, and nothing is left of what is deleted."""

import sqlite3
from typing import Any

import httpx
import pytest

from tests.kb.conftest import Kb, StartKb
from tests.support.wait import until

pytestmark = pytest.mark.process

ONE = "# One\n\nfirst thing\n\n## Two\n\nsecond thing\n\n## Three\n\nthird thing"


def rows(kb: Kb, statement: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(kb.data_dir / "kb.db") as connection:
        return connection.execute(statement).fetchall()


def vector_count(kb: Kb, chroma_url: str) -> int:
    """How many vectors Chroma holds for the collection `site`."""
    ((name,),) = rows(kb, "SELECT index_name FROM collections WHERE name = 'site'")
    base = f"{chroma_url}/api/v2/tenants/default_tenant/databases/default_database/collections"
    found = httpx.get(f"{base}/{name}", trust_env=False).json()
    return int(httpx.get(f"{base}/{found['id']}/count", trust_env=False).json())


def upload(kb: Kb, files: dict[str, bytes], **form: str) -> httpx.Response:
    parts = [("files", (name, content)) for name, content in files.items()]
    return kb.admin.post("/api/documents", data=form, files=parts)


def test_the_same_content_again_changes_nothing(lonely_kb: Kb) -> None:
    first = lonely_kb.put("one.md", ONE)
    assert (first["outcome"], first["chunks"], first["new_chunks"]) == ("created", 3, 3)
    before = rows(lonely_kb, "SELECT id, text FROM chunks")
    again = lonely_kb.put("one.md", ONE)
    assert (again["id"], again["outcome"]) == (first["id"], "unchanged")
    assert rows(lonely_kb, "SELECT id, text FROM chunks") == before


def test_a_change_touches_only_the_passages_that_changed(lonely_kb: Kb) -> None:
    lonely_kb.put("one.md", ONE)
    before = dict(rows(lonely_kb, "SELECT text, id FROM chunks"))
    changed = lonely_kb.put("one.md", ONE.replace("second", "another"))
    assert (changed["outcome"], changed["new_chunks"]) == ("changed", 1)
    after = dict(rows(lonely_kb, "SELECT text, id FROM chunks"))
    assert after["first thing"] == before["first thing"]
    assert after["third thing"] == before["third thing"]
    assert "second thing" not in after
    assert lonely_kb.sources("second", mode="lexical") == []
    assert lonely_kb.sources("another", mode="lexical") == ["one.md#two"]


def test_a_passage_that_moved_keeps_its_id_and_gets_its_new_place(lonely_kb: Kb) -> None:
    lonely_kb.put("one.md", "# T\n\n## A\n\nalpha\n\n## B\n\nbeta")
    moved = lonely_kb.put("one.md", "# T\n\n## B\n\nbeta\n\n## A\n\nalpha")
    assert (moved["outcome"], moved["new_chunks"]) == ("changed", 0)
    assert rows(lonely_kb, "SELECT text FROM chunks ORDER BY position") == [("beta",), ("alpha",)]


def test_unchanged_passages_are_not_embedded_again(kb: Kb) -> None:
    kb.put("one.md", ONE)
    kb.indexed()
    mark = b"\0" * 4 * 384  # an embedding would overwrite it
    with sqlite3.connect(kb.data_dir / "kb.db") as connection:
        connection.execute("UPDATE vectors SET vector = ?", (mark,))
    kb.put("one.md", ONE)
    kb.put("one.md", ONE + " and more")
    kb.indexed()
    vectors = [vector for (vector,) in rows(kb, "SELECT vector FROM vectors")]
    assert len(vectors) == 3
    assert vectors.count(mark) == 2


def test_a_deletion_leaves_nothing_behind(kb: Kb, chroma_url: str) -> None:
    kept = kb.put("kept.md", "# Kept\n\nthis stays")
    gone = kb.put("gone.md", "# Gone\n\ncanaryword vanishes")
    kb.indexed()
    assert vector_count(kb, chroma_url) == 2
    assert kb.admin.delete(f"/api/documents/{gone['id']}").status_code == 204
    assert kb.sources("canaryword vanishes", mode="lexical") == []
    assert kb.sources("canaryword vanishes") == ["kept.md#kept"]
    until(lambda: vector_count(kb, chroma_url) == 1, 10, "its vector is gone")
    for table in ("documents", "chunks", "vectors", "terms_1"):
        assert len(rows(kb, f"SELECT * FROM {table}")) == 1, table  # noqa: S608
    assert rows(kb, "SELECT term FROM terms_1_words WHERE term LIKE 'canary%'") == []
    assert kb.admin.get(f"/api/documents/{gone['id']}").status_code == 404
    assert kb.admin.get(f"/api/documents/{kept['id']}").json()["content"] == "# Kept\n\nthis stays"


def test_a_collection_goes_with_all_that_it_holds(lonely_kb: Kb) -> None:
    lonely_kb.admin.post("/api/collections", json={"name": "scratch"})
    lonely_kb.put("one.md", ONE, collection="scratch")
    assert lonely_kb.sources("second", collection="scratch", mode="lexical")
    assert lonely_kb.sources("second", mode="lexical") == [], "collections are apart"
    assert lonely_kb.admin.delete("/api/collections/scratch").status_code == 204
    assert rows(lonely_kb, "SELECT * FROM documents") == []
    assert rows(lonely_kb, "SELECT name FROM sqlite_master WHERE name LIKE 'terms_3%'") == []


def test_uploaded_files_become_documents_and_bad_ones_stop_nothing(kb: Kb) -> None:
    files = {
        "guide/a.md": "# A\n\n甲".encode(),
        "guide/b.pdf": b"%PDF",
        "guide/c.txt": b"\xff\xfe broken",
        "guide/d.html": b"<h1>D</h1><p>delta</p>",
    }
    answer = upload(kb, files, collection="site", url_base="https://example.com/docs/")
    assert answer.status_code == 202
    job = kb.job(answer.json()["id"])
    assert (job["state"], job["progress"]) == ("done", 100)
    errors = {file["source"]: file["error"] for file in job["files"]}
    assert errors["guide/a.md"] is None
    assert "not PDF" in errors["guide/b.pdf"]
    assert "UTF-8" in errors["guide/c.txt"]
    listed = kb.admin.get("/api/documents", params={"source_prefix": "guide/"}).json()
    assert [item["source"] for item in listed["items"]] == ["guide/a.md", "guide/d.html"]
    assert listed["items"][0]["url"] == "https://example.com/docs/guide/a.md"
    assert kb.sources("delta", top_k=1) == ["guide/d.html#d"]
    kept = [path.read_bytes() for path in (kb.data_dir / "kb-uploads").iterdir()]
    assert sorted(kept) == [b"%PDF", b"\xff\xfe broken"], "bad ones alone wait for a retry"


def test_a_job_of_nothing_but_bad_files_has_failed(lonely_kb: Kb) -> None:
    job = lonely_kb.job(upload(lonely_kb, {"a.exe": b"MZ"}).json()["id"])
    assert job["state"] == "failed"


def test_uploads_that_are_no_uploads_are_refused(lonely_kb: Kb) -> None:
    def status(**request: Any) -> int:
        return lonely_kb.admin.post("/api/documents", **request).status_code

    assert status(content=b"x", headers={"content-type": "text/plain"}) == 400
    assert status(data={"collection": "site"}, files=[("other", ("a.md", b"x"))]) == 422
    assert status(files=[("files", ("../a.md", b"x"))]) == 422
    assert status(data={"collection": "none"}, files=[("files", ("a.md", b"x"))]) == 404
    assert lonely_kb.visitor.post("/api/documents").status_code == 401


def test_an_upload_over_the_limit_is_refused(start_kb: StartKb) -> None:
    kb = start_kb(TRIVET_UPLOAD_MAX_BYTES="1024", TRIVET_JSON_BODY_MAX_BYTES="1024")
    assert upload(kb, {"a.md": b"x" * 4096}).status_code == 413


def test_a_documents_passages_are_shown_as_they_were_cut(lonely_kb: Kb) -> None:
    content = "# Tea\n\nIntroduction.\n\n## Green\n\nEighty degrees.\n\n## Black\n\nBoiling water."
    document_id = lonely_kb.put("tea.md", content)["id"]
    path = f"/api/documents/{document_id}/chunks"
    first = lonely_kb.admin.get(path, params={"limit": 2}).json()
    rest = lonely_kb.admin.get(path, params={"cursor": first["next_cursor"]}).json()
    passages = [*first["items"], *rest["items"]]
    assert [passage["position"] for passage in passages] == [0, 1, 2]
    assert [passage["anchor"] for passage in passages] == ["tea", "green", "black"]
    assert passages[1]["heading_path"] == ["Tea", "Green"]
    assert passages[1]["content"] == "Eighty degrees."
    assert passages[1]["tokens"] > 0
    assert rest["next_cursor"] is None
    assert lonely_kb.admin.get("/api/documents/nobody/chunks").status_code == 404
    assert lonely_kb.visitor.get(path).status_code == 401


def test_documents_are_listed_in_pages_and_deleted_by_source(lonely_kb: Kb) -> None:
    for name in "dbeac":
        lonely_kb.put(f"{name}.txt", name * 3)
    found: list[str] = []
    cursor = ""
    while True:
        params: dict[str, str | int] = {"limit": 2, "cursor": cursor}
        page = lonely_kb.admin.get("/api/documents", params=params).json()
        found += [item["source"] for item in page["items"]]
        cursor = page["next_cursor"] or ""
        if not cursor:
            break
    assert found == ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"]
    gone = lonely_kb.admin.delete("/api/documents", params={"source": "c.txt"})
    assert gone.status_code == 204
    again = lonely_kb.admin.delete("/api/documents", params={"source": "c.txt"})
    assert again.status_code == 404


@pytest.mark.parametrize("source", ["../x.md", "a/../../x.md", "a#b.md", "\x00.md", "/", " "])
def test_a_source_is_a_plain_path(lonely_kb: Kb, source: str) -> None:
    body = {"source": source, "content": "text"}
    assert lonely_kb.admin.put("/api/documents", json=body).status_code == 422


def test_the_collections_state_tells_of_its_index(kb: Kb) -> None:
    assert kb.collection()["state"] == "empty"
    kb.put("one.md", ONE)
    kb.indexed()
    state = kb.collection()
    assert (state["state"], state["documents"], state["chunks"]) == ("ready", 1, 3)
    assert state["embedding_model"] == "multilingual-e5-small"
    assert kb.admin.get("/api/collections").json()["embedder"]["dimensions"] == 384
