"""Each collection has its own doors: open to all, or to the holders of its keys."""

import sqlite3

import pytest

from tests.kb.conftest import Kb, StartKb
from tests.kb.test_ingestion import rows
from tests.support.wait import until

pytestmark = pytest.mark.process


def made(kb: Kb, name: str, **more: object) -> None:
    answer = kb.admin.post("/api/collections", json={"name": name, **more})
    assert answer.status_code == 201, answer.text
    kb.put("a.md", f"# A\n\nwords of {name}", collection=name)


def key_of(kb: Kb, collection: str) -> tuple[str, str]:
    answer = kb.admin.post(f"/api/collections/{collection}/keys", json={"name": "the shop"})
    assert answer.status_code == 201
    issued = answer.json()
    return issued["id"], issued["key"]


def status(kb: Kb, collection: str, key: str = "", *, path: str = "/api/search") -> int:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    params = {"q": "words", "collection": collection, "mode": "lexical"}
    return kb.visitor.get(path, params=params, headers=headers).status_code


def test_a_key_searches_its_own_collection_and_what_is_open(lonely_kb: Kb) -> None:
    made(lonely_kb, "one")
    made(lonely_kb, "two")
    _, key = key_of(lonely_kb, "one")
    assert status(lonely_kb, "one") == 401
    assert status(lonely_kb, "one", key) == 200
    assert status(lonely_kb, "two", key) == 403
    assert status(lonely_kb, "site", key) == 200
    assert status(lonely_kb, "one", "kb_nobody-issued-this") == 401
    body = {"queries": ["words"], "collection": "two"}
    headers = {"x-api-key": key}
    assert lonely_kb.visitor.post("/api/search", json=body, headers=headers).status_code == 403


def test_a_key_does_nothing_but_search(lonely_kb: Kb) -> None:
    made(lonely_kb, "one")
    _, key = key_of(lonely_kb, "one")
    headers = {"Authorization": f"Bearer {key}"}
    for path in ("/api/documents", "/api/collections", "/api/collections/one/keys", "/api/jobs"):
        assert lonely_kb.visitor.get(path, headers=headers).status_code == 403, path


@pytest.mark.process
def test_a_key_that_was_taken_back_is_refused_by_every_instance(
    lonely_kb: Kb, start_kb: StartKb
) -> None:
    other = start_kb(TRIVET_INSTANCE="1")
    made(lonely_kb, "one")
    key_id, key = key_of(lonely_kb, "one")
    until(lambda: status(other, "one", key) == 200, 5, "the other instance learns of the key")
    gone = lonely_kb.admin.delete(f"/api/collections/one/keys/{key_id}")
    assert gone.status_code == 204
    assert status(lonely_kb, "one", key) == 401
    until(lambda: status(other, "one", key) == 401, 5, "the other instance refuses it")
    assert lonely_kb.admin.delete(f"/api/collections/one/keys/{key_id}").status_code == 404


def test_a_key_is_shown_once_and_kept_as_a_hash(lonely_kb: Kb) -> None:
    made(lonely_kb, "one")
    key_id, key = key_of(lonely_kb, "one")
    (listed,) = lonely_kb.admin.get("/api/collections/one/keys").json()["items"]
    assert (listed["id"], listed["name"], listed["hint"]) == (key_id, "the shop", key[-4:])
    assert "key" not in listed
    with sqlite3.connect(lonely_kb.data_dir / "kb.db") as connection:
        assert key not in "\n".join(connection.iterdump())


def test_a_collection_is_opened_and_closed(lonely_kb: Kb) -> None:
    made(lonely_kb, "public", open=True)
    assert status(lonely_kb, "public") == 200
    closed = lonely_kb.admin.patch("/api/collections/public", json={"open": False})
    assert closed.json()["open"] is False
    assert status(lonely_kb, "public") == 401
    assert lonely_kb.collection()["open"] is True, "site is open from the start"
    lonely_kb.admin.patch("/api/collections/site", json={"open": False})
    assert status(lonely_kb, "site") == 401


def test_the_keys_go_with_their_collection(lonely_kb: Kb) -> None:
    made(lonely_kb, "one")
    _, key = key_of(lonely_kb, "one")
    lonely_kb.admin.delete("/api/collections/one")
    made(lonely_kb, "one")
    until(lambda: status(lonely_kb, "one", key) == 401, 5, "the old key is no key any more")
    assert rows(lonely_kb, "SELECT * FROM collection_keys") == []
