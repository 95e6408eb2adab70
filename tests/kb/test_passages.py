"""Passages by the ids that citations name them by."""

import pytest

from tests.kb.conftest import Kb

pytestmark = pytest.mark.process
ONE = "# One\n\nfirst thing\n\n## Two\n\nsecond thing"


def test_a_passage_is_told_with_its_document_and_its_place(lonely_kb: Kb) -> None:
    stored = lonely_kb.put("one.md", ONE)
    chunks = lonely_kb.admin.get(f"/api/documents/{stored['id']}/chunks").json()["items"]
    asked = {"ids": f"{chunks[1]['id']}, {chunks[0]['id']}"}
    items = lonely_kb.admin.get("/api/passages", params=asked).json()["items"]
    assert [item["id"] for item in items] == [chunk["id"] for chunk in chunks]
    assert items[1]["document_id"] == stored["id"]
    assert (items[1]["position"], items[1]["collection"]) == (1, "site")
    assert items[1]["content"] == chunks[1]["content"]


@pytest.mark.parametrize("ids", ["", "nobody", "-1", "999999", "9" * 300, "１２"])
def test_what_is_not_there_is_left_out(lonely_kb: Kb, ids: str) -> None:
    response = lonely_kb.admin.get("/api/passages", params={"ids": ids})
    assert (response.status_code, response.json()["items"]) == (200, [])


def test_too_many_at_once_are_refused(lonely_kb: Kb) -> None:
    response = lonely_kb.admin.get("/api/passages", params={"ids": ",".join(["1"] * 201)})
    assert response.status_code == 422
    assert response.json()["error"]["param"] == "ids"


def test_a_visitor_is_told_of_none(lonely_kb: Kb) -> None:
    assert lonely_kb.visitor.get("/api/passages", params={"ids": "1"}).status_code == 401
