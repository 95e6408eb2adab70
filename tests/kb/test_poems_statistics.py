"""The counts that kb gives: of what is there at this moment."""

import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kb.conftest import Kb
from tests.kb.poem_making import briefing, created, made_by_a_model, poem, translation

pytestmark = pytest.mark.process

POEMS = "/api/v1/poems"


def counts(client: httpx.Client, **params: str) -> dict[str, Any]:
    response = client.get(f"{POEMS}/statistics", params=params)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def backdate(data_dir: Path, table: str, row_id: str, time: str) -> None:
    with sqlite3.connect(data_dir / "kb.db") as connection:
        statement = f"UPDATE {table} SET created_at = ? WHERE id = ?"  # noqa: S608  # our own name
        connection.execute(statement, (time, row_id))


def test_an_empty_database_counts_nothing(lonely_kb: Kb) -> None:
    answer = counts(lonely_kb.admin)
    assert {answer[name] for name in ("poets", "poems", "translations", "briefings")} == {0}
    assert answer["translators"] == answer["days"] == answer["recent"] == []


def test_models_and_people_are_counted_apart(lonely_kb: Kb) -> None:
    client = lonely_kb.admin
    made = created(client, "", poem(is_selected=True))["id"]
    created(client, "", poem(title="another"))
    path = f"/{made}/translations"
    created(client, path, made_by_a_model(quality_rating=6))
    created(client, path, made_by_a_model(mode="reasoning", cost_usd=None, quality_rating=7))
    created(client, path, translation(quality_rating=0, target_lang="fr"))
    created(client, path, translation())
    created(client, f"/{made}/briefings", briefing(workflow="briefing", seconds=3))
    answer = counts(client)
    assert (answer["poets"], answer["poems"], answer["selected_poems"]) == (1, 2, 1)
    assert (answer["translations"], answer["briefings"]) == (4, 1)
    ai, human = answer["translators"]
    assert (ai["translator_type"], ai["translations"], ai["rated"]) == ("ai", 2, 2)
    assert (ai["average_rating"], ai["input_tokens"], ai["cost_usd"]) == (6.5, 200, 0.25)
    assert (human["translations"], human["rated"], human["average_rating"]) == (2, 1, 0)
    assert (human["input_tokens"], human["cost_usd"]) == (0, None)
    assert [(r["quality_rating"], r["translator_type"]) for r in answer["ratings"]] == [
        (0, "human"),
        (6, "ai"),
        (7, "ai"),
    ]
    assert [(u["result"], u["workflow"], u["mode"], u["results"]) for u in answer["usage"]] == [
        ("translation", "translation", "hybrid", 1),
        ("translation", "translation", "reasoning", 1),
        ("briefing", "briefing", "", 1),
    ]
    assert [(u["seconds"], u["cost_usd"]) for u in answer["usage"]] == [
        (2.5, 0.25),
        (2.5, None),
        (3, None),
    ]
    assert answer["source_languages"] == [{"lang": "zh-CN", "poems": 2}]
    assert answer["target_languages"] == [
        {"lang": "en", "ai_translations": 2, "human_translations": 1},
        {"lang": "fr", "ai_translations": 0, "human_translations": 1},
    ]


def test_days_hold_what_was_made_on_them(lonely_kb: Kb) -> None:
    client = lonely_kb.admin
    first = created(client, "", poem())["id"]
    second = created(client, "", poem())["id"]
    human = created(client, f"/{first}/translations", translation())["id"]
    model = created(client, f"/{first}/translations", made_by_a_model())["id"]
    report = created(client, f"/{first}/briefings", briefing())["id"]
    for table, row_id, time in (
        ("poems", first, "2026-02-28T23:59:59.999999Z"),
        ("poems", second, "2026-03-01T00:00:00.000000Z"),
        ("translations", human, "2026-03-01T12:00:00.000000Z"),
        ("translations", model, "2026-03-02T00:00:00.000000Z"),
        ("briefings", report, "2026-03-01T23:00:00.000000Z"),
    ):
        backdate(lonely_kb.data_dir, table, row_id, time)
    nothing = {"poems": 0, "ai_translations": 0, "human_translations": 0, "briefings": 0}
    march = {**nothing, "day": "2026-03-01", "poems": 1, "human_translations": 1, "briefings": 1}
    assert counts(client)["days"] == [
        {**nothing, "day": "2026-02-28", "poems": 1},
        march,
        {**nothing, "day": "2026-03-02", "ai_translations": 1},
    ]
    answer = counts(client, date_from="2026-03-01", date_to="2026-03-01")
    assert answer["days"] == [march]
    assert (answer["poems"], answer["translations"], answer["briefings"]) == (1, 1, 1)
    assert counts(client, date_from="2026-03-02")["poems"] == 0
    assert counts(client, date_to="2026-02-28")["poems"] == 1


def test_the_newest_come_first_with_their_poems_name(lonely_kb: Kb) -> None:
    client = lonely_kb.admin
    made = created(client, "", poem())
    other = created(client, f"/{made['id']}/translations", made_by_a_model())
    report = created(client, f"/{made['id']}/briefings", briefing())
    recent = counts(client)["recent"]
    assert [(item["kind"], item["id"], item["by"]) for item in recent] == [
        ("briefing", report["id"], ""),
        ("translation", other["id"], "ai"),
        ("poem", made["id"], ""),
    ]
    assert {(item["poem_id"], item["title"], item["author"]) for item in recent} == {
        (made["id"], "静夜思", "李白")
    }
    for number in range(25):
        created(client, "", poem(title=f"poem {number}"))
    assert len(counts(client)["recent"]) == 20


def test_what_is_deleted_is_counted_no_more(lonely_kb: Kb) -> None:
    client = lonely_kb.admin
    made = created(client, "", poem())["id"]
    created(client, f"/{made}/translations", made_by_a_model())
    created(client, f"/{made}/briefings", briefing())
    assert client.delete(f"{POEMS}/{made}").status_code == 204
    empty = counts(client)
    assert (empty["poems"], empty["translations"], empty["briefings"]) == (0, 0, 0)
    assert empty["usage"] == empty["recent"] == []
