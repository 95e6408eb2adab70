"""Poems on the whole stack: the samples that `make run` brings, through nginx."""

from typing import Any

import httpx
import pytest

from tests.kb.poem_making import poem
from tests.support.stack import Stack
from tests.support.wait import until

pytestmark = pytest.mark.stack

OTHER_LANGUAGE = {
    "a boat moored at night, a temple bell at midnight": "枫桥夜泊",
    "a mother sewing clothes for her son who travels": "游子吟",
    "我像一朵云独自漫游，看见湖边的金色水仙花": "I Wandered Lonely as a Cloud",
    "沙漠中破碎的国王雕像，看我的功业": "Ozymandias",
}


def got(stack: Stack, path: str, **params: Any) -> Any:
    response = httpx.get(
        stack.base_url + path, params=params, headers=stack.admin, timeout=30, trust_env=False
    )
    assert response.status_code == 200, response.text
    return response.json()


def best(stack: Stack, query: str) -> str:
    """The title of the poem that is found first."""
    found = got(stack, "/api/search", q=query, collection="poems", top_k=1)["results"]
    return str(found[0]["metadata"]["poem_title"]) if found else ""


def test_the_sample_poems_are_found_and_counted(stack: Stack) -> None:
    listed = got(stack, "/api/v1/poems/", limit=100)
    assert len(listed) == len(list((stack.root / "library" / "poems").rglob("*.yaml")))
    until(lambda: best(stack, "疑是地上霜") == "静夜思", 60, "the poem is found")
    dashboard = got(stack, "/api/v1/statistics/dashboard")
    assert dashboard["total_poems"] == len(listed)
    assert dashboard["human_translations"] > 0


def test_sample_poems_are_found_by_meaning_in_the_other_language(stack: Stack) -> None:
    def are_found() -> bool:
        return all(best(stack, query) == title for query, title in OTHER_LANGUAGE.items())

    until(are_found, 60, "each poem is the first one")


def test_a_deletion_shows_in_the_statistics_at_once(stack: Stack) -> None:
    def total() -> int:
        return int(got(stack, "/api/v1/statistics/dashboard")["total_poems"])

    before = total()
    poems = f"{stack.base_url}/api/v1/poems"
    made = httpx.post(poems, json=poem(), headers=stack.admin, timeout=30, trust_env=False)
    assert made.status_code == 201, made.text
    assert total() == before + 1
    one = f"{poems}/{made.json()['id']}"
    gone = httpx.delete(one, headers=stack.admin, timeout=30, trust_env=False)
    assert gone.status_code == 204
    assert total() == before
