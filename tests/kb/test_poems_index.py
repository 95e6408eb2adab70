"""Poems are found in the collection `poems`, as they are now and no longer than they are."""

import sqlite3
from typing import Any

import pytest

from tests.kb.conftest import Kb, StartKb, running_kb
from tests.kb.poem_making import MOON, created, poem, translation
from tests.support.wait import until

pytestmark = pytest.mark.process

POEMS = "/api/v1/poems"
IN_CHINESE = {"target_lang": "zh", "translated_text": "我独自漫游，像一朵孤云，\n飘过溪谷和群山"}
DAFFODILS = "I wandered lonely as a cloud\nThat floats on high o'er vales and hills,"


def found(kb: Kb, query: str, **params: Any) -> list[dict[str, Any]]:
    options = {"collection": "poems", "top_k": 10, "mode": "lexical", **params}
    results: list[dict[str, Any]] = kb.search(query, **options)["results"]
    return results


def settled(kb: Kb) -> None:
    """Waits until every change of a poem has reached its documents."""

    def none_is_stale() -> bool:
        with sqlite3.connect(kb.data_dir / "kb.db") as connection:
            rows = connection.execute("SELECT count(*) FROM stale_poems").fetchone()
        return bool(rows == (0,))

    until(none_is_stale, 20, "the poems are indexed")


def kinds(results: list[dict[str, Any]]) -> list[str]:
    return [result["metadata"]["kind"] for result in results]


def test_a_poem_and_its_translation_are_found_by_their_words(lonely_kb: Kb) -> None:
    made = created(lonely_kb.admin, "", poem())
    english = {"translated_title": "Night Thoughts", "translated_author": "Li Po"}
    other = created(lonely_kb.admin, f"/{made['id']}/translations", translation(**english))
    settled(lonely_kb)
    (hit,) = found(lonely_kb, "低头思故乡")
    assert hit["content"] == MOON.replace("\r\n", "\n")
    assert (hit["title"], hit["metadata"]["lang"]) == ("静夜思 · 李白", "zh")
    assert hit["metadata"]["poem_id"] == made["id"]
    (hit,) = found(lonely_kb, "moonbeams hoar-frost")
    assert (hit["title"], hit["metadata"]["lang"]) == ("Night Thoughts · Li Po", "en")
    assert hit["metadata"]["translation_id"] == other["id"]
    assert hit["metadata"]["poem_title"] == "静夜思"
    assert kinds(found(lonely_kb, "李白")) == ["poem"], "the poet's name is searched, too"


def test_a_poem_is_searched_by_those_who_may_read_it(lonely_kb: Kb) -> None:
    query = {"q": "明月", "collection": "poems"}
    assert lonely_kb.visitor.get("/api/search", params=query).status_code == 401
    assert lonely_kb.search("明月", collection="poems")["results"] == []


def test_a_change_is_found_and_what_was_before_is_not(lonely_kb: Kb) -> None:
    made = created(lonely_kb.admin, "", poem())
    path = f"{POEMS}/{made['id']}"
    other = created(lonely_kb.admin, f"/{made['id']}/translations", translation())
    settled(lonely_kb)
    lonely_kb.admin.patch(path, json={"original_text": "空山不见人", "title": "鹿柴"})
    one = f"{path}/translations/{other['id']}"
    lonely_kb.admin.patch(one, json={"translated_text": "So lone seem the hills"})
    settled(lonely_kb)
    assert found(lonely_kb, "明月") == []
    assert found(lonely_kb, "moonbeams") == []
    (hit,) = found(lonely_kb, "空山")
    assert hit["title"] == "鹿柴 · 李白"
    (hit,) = found(lonely_kb, "lone hills")
    assert hit["title"] == "鹿柴 · 李白", "it has no title of its own"
    assert hit["metadata"]["poem_title"] == "鹿柴"


def test_a_rating_changes_no_passage(lonely_kb: Kb) -> None:
    made = created(lonely_kb.admin, "", poem())
    other = created(lonely_kb.admin, f"/{made['id']}/translations", translation())
    settled(lonely_kb)
    before = found(lonely_kb, "moonbeams")
    one = f"{POEMS}/{made['id']}/translations/{other['id']}"
    assert lonely_kb.admin.patch(one, json={"quality_rating": 9}).status_code == 200
    settled(lonely_kb)
    assert [hit["id"] for hit in found(lonely_kb, "moonbeams")] == [hit["id"] for hit in before]


def test_what_is_deleted_is_not_found_from_that_moment_on(lonely_kb: Kb) -> None:
    made = created(lonely_kb.admin, "", poem())
    path = f"{POEMS}/{made['id']}"
    gone = created(lonely_kb.admin, f"/{made['id']}/translations", translation())
    text = "Before my bed the canaryword"
    created(lonely_kb.admin, f"/{made['id']}/translations", translation(translated_text=text))
    settled(lonely_kb)
    assert lonely_kb.admin.delete(f"{path}/translations/{gone['id']}").status_code == 204
    assert found(lonely_kb, "moonbeams") == []
    assert kinds(found(lonely_kb, "canaryword")) == ["translation"]
    assert lonely_kb.admin.delete(path).status_code == 204
    assert found(lonely_kb, "canaryword") == []
    assert found(lonely_kb, "明月") == []
    settled(lonely_kb)
    documents = lonely_kb.admin.get("/api/documents", params={"collection": "poems"}).json()
    assert documents["items"] == []


def test_a_poem_that_was_deleted_before_it_was_indexed_is_never_found(lonely_kb: Kb) -> None:
    for _ in range(5):
        made = created(lonely_kb.admin, "", poem())
        assert lonely_kb.admin.delete(f"{POEMS}/{made['id']}").status_code == 204
    settled(lonely_kb)
    assert found(lonely_kb, "明月") == []


def test_a_change_that_was_cut_off_is_made_after_a_restart(tmp_path: Any) -> None:
    with running_kb(tmp_path, {}) as kb:
        made = created(kb.admin, "", poem())
        settled(kb)
    with sqlite3.connect(tmp_path / "kb.db") as connection:
        connection.execute("UPDATE poems SET original_text = '空山不见人'")
        insert = "INSERT INTO stale_poems (poem_id, translation_id, attempts) VALUES (?, '', 0)"
        connection.execute(insert, (made["id"],))
    with running_kb(tmp_path, {}) as kb:
        settled(kb)
        assert kinds(found(kb, "空山")) == ["poem"]


def test_what_has_no_document_of_the_present_recipe_is_indexed_at_the_start(tmp_path: Any) -> None:
    def recipes() -> set[str]:
        with sqlite3.connect(tmp_path / "kb.db") as connection:
            rows = connection.execute("SELECT recipe FROM documents").fetchall()
        return {recipe.rpartition("/")[0] for (recipe,) in rows}

    with running_kb(tmp_path, {}) as kb:
        made = created(kb.admin, "", poem())
        created(kb.admin, f"/{made['id']}/translations", translation())
        settled(kb)
        gone = {"collection": "poems", "source": f"poems/{made['id']}.txt"}
        assert kb.admin.delete("/api/documents", params=gone).status_code == 204
        assert found(kb, "明月") == []
        before = recipes()
    with running_kb(tmp_path, {}) as kb:
        settled(kb)
        assert kinds(found(kb, "明月")) == ["poem"]
        assert recipes() == before
    with running_kb(tmp_path, {"KB_CHUNK_TOKENS": "64"}) as kb:
        settled(kb)
        assert len(recipes()) == 1
        assert recipes() != before


def test_texts_that_no_reader_likes_stop_no_other(lonely_kb: Kb) -> None:
    created(lonely_kb.admin, "", poem(original_text="\x00\n \n"))
    created(lonely_kb.admin, "", poem(original_text="a\x00moon\x0b\x1b[31m"))
    created(lonely_kb.admin, "", poem(original_text="# no heading\n> no quote\n---\ncanaryword"))
    settled(lonely_kb)
    assert kinds(found(lonely_kb, "moon")) == ["poem"]
    (hit,) = found(lonely_kb, "canaryword")
    assert hit["content"] == "# no heading\n> no quote\n---\ncanaryword"


def test_the_collection_of_poems_stays(lonely_kb: Kb) -> None:
    assert lonely_kb.admin.delete("/api/collections/poems").status_code == 409
    assert lonely_kb.collection("poems")["open"] is False


def test_the_longest_poem_is_searched_to_its_end(lonely_kb: Kb) -> None:
    text = ("明月几时有，把酒问青天。\n" * 4_000)[:49_990] + "canaryword"
    assert len(text) == 50_000
    created(lonely_kb.admin, "", poem(original_text=text))
    settled(lonely_kb)
    assert kinds(found(lonely_kb, "canaryword")) == ["poem"]


def test_poems_are_found_by_meaning_in_both_languages(kb: Kb) -> None:
    moon = created(kb.admin, "", poem())
    english = poem(
        title="Daffodils", author="Wordsworth", source_lang="en", original_text=DAFFODILS
    )
    cloud = created(kb.admin, "", english)
    created(kb.admin, f"/{moon['id']}/translations", translation())
    created(kb.admin, f"/{cloud['id']}/translations", translation(**IN_CHINESE))
    settled(kb)
    kb.indexed("poems")

    def best(query: str) -> str:
        first = found(kb, query, mode="dense", top_k=1)[0]
        return str(first["metadata"]["poem_id"])

    assert best("sleepless at night, light falls on the bedroom floor") == moon["id"]
    assert best("晚上睡不着，想家") == moon["id"]
    assert best("walking by myself in the hills") == cloud["id"]
    assert best("一个人在山谷里散步") == cloud["id"]


def test_engines_that_are_away_hold_no_write_up(start_kb: StartKb) -> None:
    kb = start_kb()
    made = created(kb.admin, "", poem())
    response = kb.admin.patch(f"{POEMS}/{made['id']}", json={"title": "夜思"})
    assert response.status_code == 200
    settled(kb)
    assert kinds(found(kb, "明月", mode="hybrid")) == ["poem"]
    assert kb.collection("poems")["pending"] == 1
