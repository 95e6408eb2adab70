"""What is deleted is nowhere: not in a table, and not in the bytes of a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kb.conftest import Kb, StartKb
from tests.kb.test_ingestion import rows, upload, vector_count
from tests.support.wait import until

pytestmark = pytest.mark.process

CANARY = "zyxwvcanary"
FILLER = "Other words that stay where they are. "


def holding(folder: Path, words: str) -> Iterator[str]:
    """The files that hold the words, as they are or in UTF-16."""
    patterns = (words.encode(), words.encode("utf-16-le"))
    for path in folder.rglob("*"):
        if path.is_file() and any(pattern in path.read_bytes() for pattern in patterns):
            yield path.name


def document(name: str) -> str:
    return f"# {CANARY} {name}\n\n{CANARY} is said here. {FILLER * 30}"


def test_no_byte_of_a_deleted_document_stays(lonely_kb: Kb) -> None:
    kept = lonely_kb.put("kept.md", f"# Kept\n\n{FILLER * 50}")
    gone = [lonely_kb.put(f"{n}.md", document(f"{n}"))["id"] for n in range(20)]
    assert set(holding(lonely_kb.data_dir, CANARY)) & {"kb.db", "kb.db-wal"}
    for document_id in gone:
        assert lonely_kb.admin.delete(f"/api/documents/{document_id}").status_code == 204
    until(lambda: list(holding(lonely_kb.data_dir, CANARY)) == [], 20, "the words are gone")
    assert set(lonely_kb.sources("stay where", mode="lexical")) == {"kept.md#kept"}
    assert lonely_kb.admin.get(f"/api/documents/{kept['id']}").status_code == 200


def test_no_byte_of_what_a_document_said_before_stays(lonely_kb: Kb) -> None:
    lonely_kb.put("a.md", f"# A\n\n{CANARY} once\n\n## B\n\n{FILLER * 20}")
    lonely_kb.put("a.md", f"# A\n\nnothing now\n\n## B\n\n{FILLER * 20}")
    until(lambda: list(holding(lonely_kb.data_dir, CANARY)) == [], 20, "the words are gone")


def test_no_byte_of_a_deleted_collection_stays(lonely_kb: Kb) -> None:
    lonely_kb.admin.post("/api/collections", json={"name": "scratch"})
    for number in range(10):
        lonely_kb.put(f"{number}.md", document(f"{number}"), collection="scratch")
    lonely_kb.admin.delete("/api/collections/scratch")
    until(lambda: list(holding(lonely_kb.data_dir, CANARY)) == [], 20, "the words are gone")


def test_an_uploaded_file_leaves_no_copy(lonely_kb: Kb) -> None:
    upload(lonely_kb, {"a.md": document("a").encode()})
    until(lambda: rows(lonely_kb, "SELECT id FROM documents"), 10, "it is stored")
    ((document_id,),) = rows(lonely_kb, "SELECT id FROM documents")
    lonely_kb.admin.delete(f"/api/documents/{document_id}")
    until(lambda: list(holding(lonely_kb.data_dir, CANARY)) == [], 20, "the words are gone")


def test_chroma_holds_no_words_and_loses_the_vectors(
    tmp_path: Path, start_kb: StartKb, engines: dict[str, str], chroma_url: str
) -> None:
    kb = start_kb(**engines)
    kb.put("kept.md", "# Kept\n\nthis stays")
    gone = kb.put("gone.md", document("x"))
    kb.indexed()
    count = vector_count(kb, chroma_url)
    kb.admin.delete(f"/api/documents/{gone['id']}")
    until(lambda: vector_count(kb, chroma_url) == count - gone["chunks"], 20)
    until(lambda: list(holding(tmp_path, CANARY)) == [], 20, "the words are gone")
