"""Poems, translations and briefings over HTTP, with no engine beside kb."""

from typing import Any

import httpx
import pytest

from services.kernel.auth import ensure_token
from tests.kb.conftest import Kb
from tests.kb.poem_making import (
    MOON,
    NONE_HEX,
    briefing,
    created,
    made_by_a_model,
    poem,
    translation,
)

pytestmark = pytest.mark.process

POEMS = "/api/v1/poems"


@pytest.fixture
def client(lonely_kb: Kb) -> httpx.Client:
    return lonely_kb.admin


@pytest.fixture
def poem_id(client: httpx.Client) -> str:
    return str(created(client, "", poem())["id"])


def got(client: httpx.Client, path: str, **params: Any) -> Any:
    response = client.get(POEMS + path, params=params)
    assert response.status_code == 200, response.text
    return response.json()


def refused(response: httpx.Response) -> tuple[int, str | None]:
    """(status, param) of an error."""
    return response.status_code, response.json()["error"].get("param")


def test_a_poem_is_kept_as_it_came(client: httpx.Client) -> None:
    text = " 1 < 2 && 3 > 2 &amp; &lt;b&gt;\r\n\t<3 \u00a0 月\r\n\r\n"
    made = created(client, "", poem(original_text=text, metadata={"source": "全唐诗", "juan": 165}))
    assert made["original_text"] == text
    assert made["metadata"] == {"source": "全唐诗", "juan": 165}
    assert (made["is_selected"], made["translation_count"], made["briefing_id"]) == (False, 0, None)
    assert made["created_at"] == made["updated_at"]
    assert got(client, f"/{made['id']}") == made


def test_tags_are_removed_from_title_author_and_text(client: httpx.Client) -> None:
    body = poem(title="<b>静</b>夜思", author="李白<br>", original_text=f"<p>{MOON}</p><script>")
    made = created(client, "", body)
    assert (made["title"], made["author"], made["original_text"]) == ("静夜思", "李白", MOON)


def test_a_poem_of_fifty_thousand_characters_is_fine_and_one_more_is_not(
    client: httpx.Client,
) -> None:
    made = created(client, "", poem(original_text="月" * 50_000))
    assert len(got(client, f"/{made['id']}")["original_text"]) == 50_000
    long = client.post(POEMS, json=poem(original_text="月" * 50_001))
    assert refused(long) == (422, "original_text")


MISFITS: list[tuple[str, Any]] = [
    ("title", ""),
    ("title", "   "),
    ("title", "x" * 501),
    ("title", "<b></b>"),
    ("author", ""),
    ("author", "x" * 201),
    ("source_lang", "chinese"),
    ("source_lang", "zh-cn"),
    ("source_lang", "zh\n"),
    ("original_text", ""),
    ("original_text", "<br>"),
    ("original_text", 7),
    ("metadata", {"list": [1]}),
    ("metadata", {str(number): number for number in range(51)}),
    ("colour", "red"),
]


def test_what_does_not_fit_is_refused(client: httpx.Client) -> None:
    for field, value in MISFITS:
        status, param = refused(client.post(POEMS, json=poem(**{field: value})))
        assert (status, str(param).partition(".")[0]) == (422, field), value


def test_titles_at_the_bounds_are_taken(client: httpx.Client) -> None:
    for length in (1, 500):
        assert len(created(client, "", poem(title="x" * length))["title"]) == length


def test_poems_are_listed_newest_first_in_pages(client: httpx.Client) -> None:
    made = [created(client, "", poem(title=f"poem {number}"))["id"] for number in range(5)]
    assert [item["id"] for item in got(client, "")] == made[::-1]
    assert [item["id"] for item in got(client, "/", skip=1, limit=2)] == [made[3], made[2]]
    assert got(client, "", skip=10**9) == []
    assert refused(client.get(POEMS, params={"limit": 101})) == (422, "limit")
    assert refused(client.get(POEMS, params={"skip": -1})) == (422, "skip")


def test_poems_are_filtered(client: httpx.Client) -> None:
    created(client, "", poem(is_selected=True))
    english = {"author": "Emily Dickinson", "source_lang": "en", "original_text": "Hope"}
    created(client, "", poem(title="100% Percent", **english))

    def titles(**params: Any) -> list[str]:
        return [item["title"] for item in got(client, "", **params)]

    assert titles(search="明月") == ["静夜思"], "in the text"
    assert titles(search="percent") == ["100% Percent"], "in the title, in any case"
    assert titles(search="dickinson") == ["100% Percent"], "in the author"
    assert titles(search="%") == ["100% Percent"], "a wildcard is a character"
    assert titles(search="_") == []
    assert titles(author="李白") == ["静夜思"]
    assert titles(source_lang="en") == ["100% Percent"]
    assert titles(is_selected="true") == ["静夜思"]
    assert titles(is_selected="false", search="明月") == []


def test_a_patch_changes_what_it_names(client: httpx.Client, poem_id: str) -> None:
    before = got(client, f"/{poem_id}")
    selected = client.patch(f"{POEMS}/{poem_id}", json={"is_selected": True}).json()
    assert selected == {**before, "is_selected": True, "updated_at": selected["updated_at"]}
    assert selected["updated_at"] > before["updated_at"]
    changed = client.patch(f"{POEMS}/{poem_id}", json={"title": "<i>夜思</i>"}).json()
    assert (changed["title"], changed["original_text"]) == ("夜思", MOON)
    assert client.patch(f"{POEMS}/{poem_id}", json={}).json() == changed
    bad = client.patch(f"{POEMS}/{poem_id}", json={"original_text": ""})
    assert refused(bad) == (422, "original_text")


def test_translations_are_listed_newest_first_and_by_language(
    client: httpx.Client, poem_id: str
) -> None:
    path = f"/{poem_id}/translations"
    human = created(client, path, translation(translator="Herbert A. Giles"))
    model = created(client, path, made_by_a_model())
    other = created(client, path, translation(target_lang="fr"))
    assert human["translator_type"] == "human"
    assert (human["model"], human["input_tokens"], human["cost_usd"]) == ("", None, None)
    assert (model["translator_type"], model["mode"], model["cost_usd"]) == ("ai", "hybrid", 0.25)
    assert [item["id"] for item in got(client, path)] == [other["id"], model["id"], human["id"]]
    assert [item["id"] for item in got(client, path, target_lang="en")] == [
        model["id"],
        human["id"],
    ]
    assert got(client, f"/{poem_id}")["translation_count"] == 3


def test_a_translation_is_rated_and_noted(client: httpx.Client, poem_id: str) -> None:
    path = f"/{poem_id}/translations"
    made = created(client, path, translation())
    one = f"{POEMS}{path}/{made['id']}"
    assert made["quality_rating"] is None
    for rating in (0, 10):
        rated = client.patch(one, json={"quality_rating": rating}).json()
        assert rated["quality_rating"] == rating
    for bad in (-1, 11, 5.5, "good"):
        answer = client.patch(one, json={"quality_rating": bad})
        assert refused(answer) == (422, "quality_rating")
    noted = client.patch(one, json={"notes": "霜 <b>is</b> frost"}).json()
    assert (noted["notes"], noted["quality_rating"]) == ("霜 is frost", 10)
    assert client.patch(one, json={"quality_rating": None}).json()["quality_rating"] is None
    assert client.get(one).json()["notes"] == "霜 is frost"


def test_a_translation_by_a_model_names_it(client: httpx.Client, poem_id: str) -> None:
    body = translation(translator_type="ai")
    response = client.post(f"{POEMS}/{poem_id}/translations", json=body)
    assert response.status_code == 422
    assert "names its model" in response.json()["error"]["message"]


def test_a_task_leaves_one_result(client: httpx.Client, poem_id: str) -> None:
    for path, body in (
        ("translations", made_by_a_model(task_id="task-1")),
        ("briefings", briefing(task_id="task-1")),
    ):
        first = created(client, f"/{poem_id}/{path}", body)
        assert created(client, f"/{poem_id}/{path}", body) == first
        assert len(got(client, f"/{poem_id}/{path}")) == 1
        other = created(client, "", poem(title="another"))["id"]
        elsewhere = client.post(f"{POEMS}/{other}/{path}", json=body)
        assert refused(elsewhere) == (409, "task_id")


def test_a_briefing_is_kept_with_what_it_took(client: httpx.Client, poem_id: str) -> None:
    first = created(client, f"/{poem_id}/briefings", briefing(input_tokens=7, seconds=1.5))
    assert first["content"]["terms"] == [{"term": "霜", "meaning": "frost"}]
    assert (first["input_tokens"], first["seconds"], first["cost_usd"]) == (7, 1.5, None)
    newest = created(client, f"/{poem_id}/briefings", briefing())
    assert got(client, f"/{poem_id}/briefings", limit=1) == [newest]
    assert got(client, f"/{poem_id}")["briefing_id"] == newest["id"]
    assert got(client, f"/briefings/{first['id']}") == first
    assert got(client, f"/{poem_id}/briefings/{first['id']}") == first
    assert client.delete(f"{POEMS}/{poem_id}/briefings/{newest['id']}").status_code == 204
    assert got(client, f"/{poem_id}")["briefing_id"] == first["id"]


def test_a_briefing_is_an_object_of_a_bounded_size(client: httpx.Client, poem_id: str) -> None:
    deep: dict[str, Any] = {}
    for _ in range(260):
        deep = {"in": deep}
    for content in ({}, [1], "text", {"a": "x" * 500_000}, deep):
        response = client.post(f"{POEMS}/{poem_id}/briefings", json=briefing(content=content))
        assert refused(response) == (422, "content")


def test_a_poem_goes_with_all_that_was_made_of_it(client: httpx.Client, poem_id: str) -> None:
    made = created(client, f"/{poem_id}/translations", translation())
    report = created(client, f"/{poem_id}/briefings", briefing())
    assert client.delete(f"{POEMS}/{poem_id}").status_code == 204
    for path in (
        f"/{poem_id}",
        f"/{poem_id}/translations",
        f"/{poem_id}/translations/{made['id']}",
        f"/{poem_id}/briefings",
        f"/briefings/{report['id']}",
    ):
        assert client.get(POEMS + path).status_code == 404, path
    assert got(client, "") == []


def test_what_belongs_to_another_poem_is_not_found(client: httpx.Client, poem_id: str) -> None:
    made = created(client, f"/{poem_id}/translations", translation())
    report = created(client, f"/{poem_id}/briefings", briefing())
    other = created(client, "", poem(title="another"))["id"]
    for path in (f"translations/{made['id']}", f"briefings/{report['id']}"):
        assert client.get(f"{POEMS}/{other}/{path}").status_code == 404
        assert client.delete(f"{POEMS}/{other}/{path}").status_code == 404
        assert client.get(f"{POEMS}/{poem_id}/{path}").status_code == 200
    for path in ("", "/translations", "/briefings"):
        assert client.get(f"{POEMS}/{NONE_HEX}{path}").status_code == 404


def test_neighbours_may_do_all_and_visitors_nothing(lonely_kb: Kb) -> None:
    token = ensure_token(lonely_kb.data_dir / "service-token")
    headers = {"x-api-key": token}
    assert lonely_kb.visitor.post(POEMS, json=poem(), headers=headers).status_code == 201
    assert len(lonely_kb.visitor.get(POEMS, headers=headers).json()) == 1
    for method in ("GET", "POST"):
        assert lonely_kb.visitor.request(method, POEMS, json=poem()).status_code == 401
