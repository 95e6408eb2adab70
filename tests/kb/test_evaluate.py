"""`/api/evaluate` over a running kb: measures by language, the curve, and the run before."""

from typing import Any

import pytest

from tests.kb.conftest import Kb
from tests.kb.test_search import library

__all__ = ["library"]

GOLDEN = [
    {"query": "How do I make a backup?", "relevant": ["en/backup.md"]},
    {"query": "where is the office", "relevant": ["en/office.md#the-office"]},
    {"query": "玫瑰怎么浇水", "relevant": ["zh/garden.md"]},
    {"query": "如何备份", "relevant": ["en/backup.md"]},
]


def evaluated(kb: Kb, **body: Any) -> dict[str, Any]:
    response = kb.admin.post("/api/evaluate", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_golden_queries_are_measured_by_language(library: Kb) -> None:
    answer = evaluated(library, queries=GOLDEN, no_answer=True)
    assert answer["overall"]["questions"] == 4
    pairs = {(pair["query_lang"], pair["document_lang"]): pair for pair in answer["pairs"]}
    assert set(pairs) == {("en", "en"), ("zh", "zh"), ("zh", "en")}
    assert pairs["en", "en"]["recall_at_1"] == pairs["zh", "zh"]["recall_at_1"] == 1
    assert pairs["zh", "en"]["recall_at_1"] == 0, "the Chinese page stands first"
    assert pairs["zh", "en"]["recall_at_10"] == 1
    curve = answer["overall"]["no_answer"]
    assert [point["kept"] for point in curve] == sorted(point["kept"] for point in curve)
    assert all(0 <= point["strangers"] <= 1 for point in curve)


def test_a_run_comes_with_the_one_before_it(library: Kb) -> None:
    first = evaluated(library, queries=GOLDEN[:2], mode="lexical")
    assert first["previous"] is None
    second = evaluated(library, queries=GOLDEN[:2], mode="lexical")
    assert second["previous"]["id"] == first["id"]
    assert second["previous"]["overall"] == first["overall"]
    assert evaluated(library, queries=GOLDEN[:2], mode="dense")["previous"] is None


def test_past_runs_are_listed_newest_first(library: Kb) -> None:
    first = evaluated(library, queries=GOLDEN[:1], mode="lexical")
    evaluated(library, queries=GOLDEN[:3], mode="lexical")
    last = evaluated(library, queries=GOLDEN[:1], mode="lexical")
    items = library.admin.get("/api/evaluate", params={"limit": 200}).json()["items"]
    mine = [item for item in items if item["id"] in (first["id"], last["id"])]
    assert [item["id"] for item in mine] == [last["id"], first["id"]]
    assert mine[0]["question_set"] == mine[1]["question_set"] != items[1]["question_set"]
    assert mine[0]["overall"] == last["overall"]
    assert library.visitor.get("/api/evaluate").status_code == 401


def test_a_squads_paragraphs_are_found_by_their_text(kb: Kb) -> None:
    kb.put("one.txt", "The kettle is made of copper.")
    kb.put("two.txt", "The pan is made of iron.")
    kb.indexed()
    paragraphs = [
        {"context": "The pan is made of iron.", "qas": [{"question": "What is the pan made of?"}]}
    ]
    squad = {"data": [{"paragraphs": paragraphs}]}
    assert evaluated(kb, squad=squad)["overall"]["recall_at_1"] == 1
    paragraphs[0]["context"] = "Nobody knows."
    assert kb.admin.post("/api/evaluate", json={"squad": squad}).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"queries": []},
        {"queries": [{"query": "x", "relevant": []}]},
        {"queries": [{"query": "x", "relevant": ["none.md"]}]},
        {"squad": {"data": [{}]}},
        {"squad": {"data": []}},
    ],
)
def test_what_cannot_be_measured_is_refused(lonely_kb: Kb, body: dict[str, Any]) -> None:
    assert lonely_kb.admin.post("/api/evaluate", json=body).status_code == 422


def test_it_is_the_administrators(lonely_kb: Kb) -> None:
    body = {"queries": GOLDEN}
    assert lonely_kb.visitor.post("/api/evaluate", json=body).status_code == 401
