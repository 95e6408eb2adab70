"""Jobs: one bad file stops nothing; progress is streamed; what failed can be tried again."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from services.kernel.sse import SseParser
from tests.kb import documents
from tests.kb.conftest import Kb, StartKb
from tests.kb.test_faults import kb_process
from tests.kb.test_ingestion import rows, upload
from tests.support.ports import free_port
from tests.support.server import running
from tests.support.wait import until

pytestmark = pytest.mark.process


def bad_files() -> dict[str, tuple[bytes, str]]:
    """Content and reason by name."""
    return {
        "locked.pdf": (documents.pdf(["secret"], password="sesame"), "protected by a password"),
        "bomb.docx": (documents.bomb(260 * 1024**2), "unpacks to more than 256 MiB"),
        "wrong.md": (documents.pdf(["text"]), "The file is PDF, although its name says otherwise"),
        "empty.txt": (b"", "The file is empty"),
        "broken.txt": (b"good \xff\xfe bad", "not text in UTF-8"),
        "sheet.xls": (b"x", "The format .xls is not supported"),
    }


@pytest.mark.process
def test_bad_files_are_refused_with_the_reason_and_the_good_ones_are_stored(
    lonely_kb: Kb,
) -> None:
    bad = bad_files()
    good = {"a.md": b"# A\n\nalpha", "b.pdf": documents.pdf(["beta words"]), "c.csv": b"k\nv"}
    files = {**{name: content for name, (content, _) in bad.items()}, **good}
    job = read_through(lonely_kb, upload(lonely_kb, files).json()["id"])
    errors = {file["source"]: file["error"] for file in job["files"] if file["error"]}
    assert set(errors) == set(bad)
    for name, (_, words) in bad.items():
        assert words in errors[name], name
    assert job["files_failed"] == len(bad)
    assert lonely_kb.collection()["documents"] == len(good)
    assert lonely_kb.sources("beta", mode="lexical") == ["b.pdf#page=1"]


def read_through(kb: Kb, job_id: str) -> dict[str, Any]:
    """The job, when all its files have been looked at; without engines it does not end."""

    def read() -> Any:
        view = kb.admin.get(f"/api/jobs/{job_id}").json()
        return view if view["files_done"] == view["files_total"] else None

    found: dict[str, Any] = until(read, 60, "all files are read")
    return found


def test_a_job_of_bad_files_alone_fails(lonely_kb: Kb) -> None:
    job = lonely_kb.job(upload(lonely_kb, {"a.txt": b""}).json()["id"])
    assert (job["state"], job["error"]) == ("failed", "No file could be read.")


def test_a_file_over_the_limit_is_refused_before_it_is_taken(start_kb: StartKb) -> None:
    kb = start_kb(TRIVET_UPLOAD_MAX_BYTES="10000")
    answer = upload(kb, {"big.txt": b"x" * 20_000})
    assert answer.status_code == 413
    assert "larger than" in answer.json()["error"]["message"]
    assert not list((kb.data_dir / "kb-uploads").glob("*"))


def test_progress_is_streamed_to_the_end(lonely_kb: Kb) -> None:
    job_id = upload(lonely_kb, {"a.txt": b"", "b.txt": b" "}).json()["id"]
    found = list(events(lonely_kb, job_id))
    assert [kind for kind, _ in found][-1] == "failed"
    assert {kind for kind, _ in found[:-1]} <= {"progress"}
    assert [file["error"] for file in found[-1][1]["files"]] == ["The file is empty."] * 2
    assert all(view["files"] == [] for _, view in found[:-1])
    unknown = lonely_kb.admin.get("/api/jobs/none/stream")
    assert unknown.status_code == 404
    assert unknown.headers["content-type"] == "application/json"


def events(kb: Kb, job_id: str) -> Iterator[tuple[str, Any]]:
    parser = SseParser()
    with kb.admin.stream("GET", f"/api/jobs/{job_id}/stream") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-accel-buffering"] == "no"
        for chunk in response.iter_bytes():
            for event in parser.feed(chunk):
                yield event.event, json.loads(event.data)


def test_what_failed_is_tried_again_and_nothing_else(lonely_kb: Kb) -> None:
    job_id = upload(lonely_kb, {"good.md": b"# A\n\nalpha", "bad.txt": b"\xff"}).json()["id"]
    before = read_through(lonely_kb, job_id)
    too_early = lonely_kb.admin.post(f"/api/jobs/{job_id}/retry")
    assert too_early.status_code == 409, "the good file waits for the embedder"
    lonely_kb.admin.post(f"/api/jobs/{job_id}/cancel")
    # What made it fail is mended: here the file itself, which was kept.
    (kept,) = (lonely_kb.data_dir / "kb-uploads").iterdir()
    kept.write_bytes(b"mended words")
    again = lonely_kb.admin.post(f"/api/jobs/{job_id}/retry")
    assert again.status_code == 202
    after = read_through(lonely_kb, job_id)
    assert [file["state"] for file in after["files"]] == ["stored", "stored"]
    assert after["files"][0]["document_id"] == before["files"][0]["document_id"]
    assert lonely_kb.sources("mended", mode="lexical") == ["bad.txt"]
    assert lonely_kb.admin.post("/api/jobs/none/retry").status_code == 404


def test_a_cancelled_job_reads_no_further(lonely_kb: Kb) -> None:
    files = {f"{number}.txt": f"words {number}".encode() for number in range(60)}
    job_id = upload(lonely_kb, files).json()["id"]
    cancelled = lonely_kb.admin.post(f"/api/jobs/{job_id}/cancel").json()
    assert cancelled["state"] == "cancelled"
    assert any(file["state"] == "cancelled" for file in cancelled["files"])
    assert lonely_kb.admin.post(f"/api/jobs/{job_id}/cancel").status_code == 409
    # The next job is read to its end, so the cancelled one would have been, too.
    read_through(lonely_kb, upload(lonely_kb, {"last.txt": b"the last one"}).json()["id"])
    states = [f["state"] for f in lonely_kb.admin.get(f"/api/jobs/{job_id}").json()["files"]]
    assert "queued" not in states
    assert lonely_kb.collection()["documents"] == states.count("stored") + 1


def test_jobs_are_listed_newest_first(lonely_kb: Kb) -> None:
    made = [upload(lonely_kb, {"a.txt": b"x"}).json()["id"] for _ in range(3)]
    first = lonely_kb.admin.get("/api/jobs", params={"limit": 2}).json()
    assert [item["id"] for item in first["items"]] == [made[2], made[1]]
    rest = lonely_kb.admin.get("/api/jobs", params={"cursor": first["next_cursor"]}).json()
    assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == ([made[0]], None)


@pytest.fixture
def site() -> Iterator[str]:
    async def page(_: Request) -> Response:
        return HTMLResponse("<html lang=zh><title>页</title><h1 id=top>页</h1><p>甲乙丙</p>")

    async def old(_: Request) -> Response:
        return Response("<p>汉字</p>".encode("gb18030"), media_type="text/html; charset=gb2312")

    routes = [Route("/docs/page", page), Route("/old", old)]
    with running(Starlette(routes=routes)) as base_url:
        yield base_url


def test_urls_become_documents_and_private_ones_are_refused(start_kb: StartKb, site: str) -> None:
    kb = start_kb(KB_FETCH_ALLOWED_NETWORKS="127.0.0.1/32")
    urls = [f"{site}/docs/page#top", "http://10.0.0.1/", f"{site}/old", "ftp://x/", f"{site}/none"]
    answer = kb.admin.post("/api/documents", json={"urls": urls})
    assert answer.status_code == 202
    job = read_through(kb, answer.json()["id"])
    errors = [file["error"] for file in job["files"]]
    assert [bool(error) for error in errors] == [False, True, False, True, True]
    assert errors[1] == "The address leads into a private network."
    (found,) = kb.search("甲乙", mode="lexical")["results"]
    assert found["source"] == found["url"] == f"{site}/docs/page#top"
    assert kb.sources("汉字", mode="lexical") == [f"{site}/old"]
    assert not list((kb.data_dir / "kb-uploads").iterdir())


def test_an_address_that_is_nothing_but_an_anchor_is_refused_as_a_bad_file(
    start_kb: StartKb, site: str
) -> None:
    kb = start_kb(KB_FETCH_ALLOWED_NETWORKS="127.0.0.1/32")
    answer = kb.admin.post("/api/documents", json={"urls": ["#top", f"{site}/docs/page"]})
    assert answer.status_code == 202, answer.text
    job = read_through(kb, answer.json()["id"])
    assert [file["source"] for file in job["files"]] == ["", f"{site}/docs/page"]
    assert [bool(file["error"]) for file in job["files"]] == [True, False]


def test_a_url_that_did_not_change_is_not_stored_again(start_kb: StartKb, site: str) -> None:
    kb = start_kb(KB_FETCH_ALLOWED_NETWORKS="127.0.0.1/32")
    for _ in range(2):
        answer = kb.admin.post("/api/documents", json={"urls": [f"{site}/docs/page"]})
        read_through(kb, answer.json()["id"])
    assert rows(kb, "SELECT revision FROM documents") == [(1,)]


def test_a_rebuild_can_be_cancelled(lonely_kb: Kb) -> None:
    lonely_kb.put("a.md", "# A\n\nalpha")
    job = lonely_kb.admin.post("/api/collections/site/rebuild").json()
    assert lonely_kb.admin.post(f"/api/jobs/{job['id']}/cancel").json()["state"] == "cancelled"
    assert lonely_kb.admin.post(f"/api/jobs/{job['id']}/retry").json()["state"] == "queued"


@pytest.mark.process
def test_a_big_file_is_stored_in_steps_and_a_kept_passage_keeps_its_id(lonely_kb: Kb) -> None:
    """More passages than one transaction takes; then the same with one section more in front."""
    sections = [f"## Part {number}\n\nwords of part {number}\n\n" for number in range(1_300)]
    first = lonely_kb.put("big.md", "# Big\n\n" + "".join(sections))
    assert first["chunks"] == 1_300
    ids = dict(rows(lonely_kb, "SELECT text, id FROM chunks"))
    again = lonely_kb.put("big.md", "# Big\n\n## New\n\nnew\n\n" + "".join(sections[1:]))
    assert (again["outcome"], again["chunks"], again["new_chunks"]) == ("changed", 1_300, 1)
    after = dict(rows(lonely_kb, "SELECT text, id FROM chunks"))
    assert "words of part 0" not in after
    assert all(after[text] == ids[text] for text in after if text != "new")
    positions = rows(lonely_kb, "SELECT position FROM chunks ORDER BY position")
    assert positions == [(number,) for number in range(1_300)]
    assert lonely_kb.admin.delete(f"/api/documents/{first['id']}").status_code == 204
    assert rows(lonely_kb, "SELECT * FROM chunks") == []


def test_content_is_kept_as_it_came(lonely_kb: Kb) -> None:
    lonely_kb.put("a.md", "# A\n\n甲乙\r\n")
    with sqlite3.connect(lonely_kb.data_dir / "kb.db") as connection:
        ((content,),) = connection.execute("SELECT part FROM contents").fetchall()
    assert content == "# A\n\n甲乙\r\n".encode()


def test_a_pdf_is_shown_as_its_text(lonely_kb: Kb, tmp_path: Path) -> None:
    job = read_through(
        lonely_kb, upload(lonely_kb, {"a.pdf": documents.pdf(["page one"])}).json()["id"]
    )
    found = lonely_kb.admin.get(f"/api/documents/{job['files'][0]['document_id']}").json()
    assert (found["content"], found["media_type"]) == ("page one", "application/pdf")
    assert found["up_to_date"] is True


@pytest.mark.process
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    with kb_process(tmp_path, free_port(), {}) as (kb, pid):
        small = anonymous_bytes_after(kb, pid, "small.txt", 500_000)
        large = anonymous_bytes_after(kb, pid, "large.txt", 6_000_000)
    assert large - small < 30 * 1024**2


def anonymous_bytes_after(kb: Kb, pid: int, name: str, size_bytes: int) -> int:
    """The most memory of its own that kb took while it stored a file: mapped files do not count."""
    paragraph = "Some words of a sentence, and some more of them. " * 40 + "\n\n"
    content = (paragraph * (size_bytes // len(paragraph))).encode()
    job_id = upload(kb, {name: content}).json()["id"]
    most = 0
    while kb.admin.get(f"/api/jobs/{job_id}").json()["files_done"] == 0:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        (line,) = [line for line in rollup.splitlines() if line.startswith("Anonymous:")]
        most = max(most, int(line.split()[1]) * 1024)
    return most
