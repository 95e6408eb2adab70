"""Search through a running kb with real engines: both languages, both sides, and its contract."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kb.conftest import EmbedderProcess, Kb, StartKb, engines_for, running_kb
from tests.support.wait import until

pytestmark = pytest.mark.process

LIBRARY = {
    "en/backup.md": "# Back up and restore\n\n## How do I back up?\n\nStop the program, copy the "
    "folder `data/` to a safe place and start it again.\n\n## How do I restore?\n\nPut the saved "
    "folder back in its place while the program is stopped.",
    "en/office.md": "# The office\n\nWe are open from nine to five on weekdays. The entrance is in "
    "Harbour Street, beside the bakery.",
    "en/price.md": "# Prices\n\nA small pot costs 12 euros, a large one 30. Shipping is free.",
    "zh/backup.md": "# 备份与恢复\n\n## 如何备份？\n\n先停止程序，把 `data/` 目录复制到安全的地方，"
    "再重新启动。\n\n## 如何恢复？\n\n在程序停止时把保存的目录放回原处。",
    "zh/garden.md": "# 花园\n\n玫瑰在五月开放，需要每天浇水，冬天要修剪枝条。",
    "zh/train.md": "# 列车\n\n去上海的高铁每小时一班，车程大约四个半小时，提前十五天可以订票。",
}


@pytest.fixture(scope="module")
def library(
    tmp_path_factory: pytest.TempPathFactory, embedder: EmbedderProcess, chroma_url: str
) -> Iterator[Kb]:
    """A kb that holds `LIBRARY`; no test changes it."""
    data_dir = tmp_path_factory.mktemp("library")
    with running_kb(data_dir, engines_for(data_dir, embedder, chroma_url)) as kb:
        for source, content in LIBRARY.items():
            topic = source.partition("/")[2].removesuffix(".md")
            about = {"topic": topic, "tags": [topic, "all"], "words": len(content.split())}
            kb.put(source, content, url=f"https://example.com/{source}", metadata=about)
        kb.indexed()
        yield kb


@pytest.mark.parametrize("mode", ["hybrid", "dense"])
def test_questions_find_their_passages_in_both_languages(library: Kb, mode: str) -> None:
    expected = {
        "How do I make a backup of my data?": "en/backup.md#how-do-i-back-up",
        "how much is shipping": "en/price.md#prices",
        "when do you open": "en/office.md#the-office",
        "如何备份": "zh/backup.md#如何备份",
        "玫瑰要怎么养护": "zh/garden.md#花园",
    }
    found = {query: library.sources(query, mode=mode, top_k=1)[0] for query in expected}
    assert found == expected


@pytest.mark.parametrize("mode", ["hybrid", "dense"])
def test_questions_find_passages_of_the_other_language(library: Kb, mode: str) -> None:
    expected = {
        ("When should I water the roses?", "zh"): "zh/garden.md#花园",
        ("How long is the train ride to Shanghai?", "zh"): "zh/train.md#列车",
        ("How do I make a backup?", "zh"): "zh/backup.md#如何备份",
        ("你们的办公室几点开门", "en"): "en/office.md#the-office",
        ("邮费是多少钱", "en"): "en/price.md#prices",
        ("如何备份", "en"): "en/backup.md#how-do-i-back-up",
    }
    found = {
        (query, lang): library.sources(query, mode=mode, top_k=1, lang=lang)[0]
        for query, lang in expected
    }
    assert found == expected


def test_words_alone_find_what_they_are_in(library: Kb) -> None:
    assert library.sources("harbour street", mode="lexical")[0] == "en/office.md#the-office"
    assert library.sources("修剪", mode="lexical") == ["zh/garden.md#花园"]
    assert library.sources("剪", mode="lexical") == ["zh/garden.md#花园"]
    assert library.sources("zeppelin", mode="lexical") == []


def test_a_result_has_the_contracts_fields(library: Kb) -> None:
    found = library.search("如何备份", top_k=2)
    assert found["success"] is True
    assert found["query"] == "如何备份"
    assert found["total_found"] >= 2
    assert found["took_ms"] > 0
    first = found["results"][0]
    assert set(first) == {
        "id",
        "type",
        "title",
        "content",
        "snippet",
        "highlights",
        "url",
        "source",
        "relevance_score",
        "score_dense",
        "score_lexical",
        "metadata",
        "neighbours",
    }
    assert first["title"] == "备份与恢复 › 如何备份？"
    assert first["url"] == "https://example.com/zh/backup.md#如何备份"
    assert first["metadata"]["lang"] == "zh"
    assert 0.5 < first["relevance_score"] <= 1


def test_what_is_not_there_scores_below_what_is(library: Kb) -> None:
    threshold = 0.5
    assert library.search("如何恢复备份", min_score=threshold)["results"]
    nothing = library.search("What is the boiling point of tungsten?", min_score=threshold)
    assert (nothing["results"], nothing["total_found"]) == ([], 0)


def test_language_and_metadata_narrow_a_search(library: Kb) -> None:
    assert library.sources("back up", lang="zh", top_k=1)[0].startswith("zh/")
    assert library.sources("back up", filter='{"topic": "price"}') == ["en/price.md#prices"]


FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({"topic": {"equals": "price"}}, {"en/price.md"}),
    ({"topic": {"in": ["price", "office"]}}, {"en/price.md", "en/office.md"}),
    ({"tags": "garden"}, {"zh/garden.md"}),
    ({"words": {"gte": 18, "lt": 30}}, {"en/office.md"}),
    ({"words": "20"}, set()),
    ({"topic": {"gt": "office", "lte": "price"}}, {"en/price.md"}),
    ({"topic": {"exists": False}}, set()),
    ({"source": {"in": ["zh/train.md", "none"]}}, {"zh/train.md"}),
    ({"updated_at": {"lt": "2001-01-01"}}, set()),
    ({"topic": "train", "created_at": {"gte": "2001-01-01T00:00:00+08:00"}}, {"zh/train.md"}),
    (
        {"topic": {"not_in": ["price", "train", "garden", "office"]}},
        {"en/backup.md", "zh/backup.md"},
    ),
    ({"'; --": {"exists": True}}, set()),
]


@pytest.mark.parametrize("mode", ["hybrid", "dense"])
def test_filters_are_typed_and_leave_all_that_meets_them(library: Kb, mode: str) -> None:
    for given, expected in FILTERS:
        body = {"q": "office price 剪 车 备份 back up", "filter": given, "mode": mode, "top_k": 50}
        answer = library.visitor.post("/api/search", json=body).json()
        assert not answer["degraded"]
        found = {result["source"].partition("#")[0] for result in answer["results"]}
        assert found == expected, given


def test_a_filter_on_many_passages_goes_on_in_chroma(
    library: Kb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.kb.search._SMALL_SCOPE", 0)
    found = library.sources("玫瑰要怎么养护", lang="en", mode="dense", top_k=50)
    assert len(found) == 4
    assert all(source.startswith("en/") for source in found)


def test_neighbours_come_in_the_documents_order(library: Kb) -> None:
    (first,) = library.search("How do I restore?", top_k=1, neighbours=1, lang="en")["results"]
    assert first["metadata"]["position"] == 1
    (before,) = first["neighbours"]
    assert before["position"] == 0
    assert before["content"].startswith("Stop the program")


def test_highlights_are_places_in_the_snippet(library: Kb) -> None:
    first = library.search("備份", mode="lexical", top_k=1)["results"][0]
    assert first["source"].startswith("zh/backup.md")
    shown = {first["snippet"][start:end] for start, end in first["highlights"]}
    assert shown <= {"备份"}


def test_several_queries_in_one_call_are_answered_in_their_order(library: Kb) -> None:
    body = {"queries": ["如何备份", "how much is shipping"], "top_k": 1}
    answer = library.visitor.post("/api/search", json=body).json()
    sources = [one["results"][0]["source"] for one in answer["searches"]]
    assert sources == ["zh/backup.md#如何备份", "en/price.md#prices"]
    one = library.visitor.post("/api/search", json={"q": "如何备份", "top_k": 1}).json()
    assert one["results"] == answer["searches"][0]["results"]


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({}, "q"),
        ({"q": "  "}, "q"),
        ({"q": "x", "top_k": 0}, "top_k"),
        ({"q": "x", "top_k": 101}, "top_k"),
        ({"q": "x", "mode": "magic"}, "mode"),
        ({"q": "x", "min_score": 2}, "min_score"),
        ({"q": "x", "filter": "{"}, "filter"),
        ({"q": "x", "filter": "[]"}, "filter"),
        ({"q": "x", "neighbours": 6}, "neighbours"),
        ({"q": "x" * 5000}, "q"),
    ],
)
def test_a_bad_search_names_what_is_wrong(
    lonely_kb: Kb, params: dict[str, Any], param: str
) -> None:
    response = lonely_kb.visitor.get("/api/search", params=params)
    assert response.status_code == 422
    assert response.json()["error"]["param"] == param


def test_other_collections_are_not_for_visitors(lonely_kb: Kb) -> None:
    created = lonely_kb.admin.post("/api/collections", json={"name": "inner"})
    assert created.status_code == 201
    params = {"q": "x", "collection": "inner"}
    assert lonely_kb.visitor.get("/api/search", params=params).status_code == 401
    assert lonely_kb.visitor.post("/api/search", json=params).status_code == 401
    assert lonely_kb.admin.get("/api/search", params=params).status_code == 200
    unknown = lonely_kb.admin.get("/api/search", params={"q": "x", "collection": "none"})
    assert unknown.status_code == 404


def test_without_engines_a_search_goes_on_with_the_words_and_says_so(lonely_kb: Kb) -> None:
    for source, content in LIBRARY.items():
        lonely_kb.put(source, content)
    for mode in ("hybrid", "dense", "lexical"):
        found = lonely_kb.search("如何备份", mode=mode)
        assert found["results"][0]["source"] == "zh/backup.md#如何备份"
        assert found["degraded"] == ([] if mode == "lexical" else ["embedder"])
    assert lonely_kb.admin.get("/api/collections").json()["embedder"] is None
    ready = lonely_kb.visitor.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["status"] == "degraded"
    assert not ready.json()["checks"]["embedder"]["ok"]


def test_without_chroma_a_search_goes_on_with_the_words(
    start_kb: StartKb, engines: dict[str, str]
) -> None:
    kb = start_kb(KB_EMBEDDER_URL=engines["KB_EMBEDDER_URL"])
    kb.put("zh/backup.md", LIBRARY["zh/backup.md"])
    found = kb.search("如何备份")
    assert found["results"][0]["source"] == "zh/backup.md#如何备份"


def test_company_info_is_everyones(lonely_kb: Kb) -> None:
    answer = lonely_kb.visitor.get("/api/company_info").json()
    assert answer["success"] is True
    assert {"name_cn", "name_en", "full_name_cn", "full_name_en", "website", "description"} <= set(
        answer["company_info"]
    )
    assert set(answer["assistant_info"]) >= {"name", "full_name"}


def test_searches_become_events_and_only_a_neighbour_names_their_cause(
    start_kb: StartKb,
) -> None:
    kb = start_kb()
    token = (kb.data_dir / "service-token").read_text().strip()
    cause = {"X-Trivet-Cause": "assistant"}
    neighbour = {"Authorization": f"Bearer {token}", **cause}
    kb.visitor.get("/api/search", params={"q": "canary one"}, headers=cause)
    replay = {**neighbour, "X-Trivet-Cause": "replay"}
    kb.visitor.get("/api/search", params={"q": "canary again"}, headers=replay)
    kb.visitor.get("/api/search", params={"q": "canary two"}, headers=neighbour)
    kb.visitor.get(
        "/api/search", params={"q": "canary 3"}, headers={**neighbour, "X-Trivet-Cause": "user"}
    )

    def recorded() -> bytes:
        files = (kb.data_dir / "outbox").rglob("*")
        text = b"".join(path.read_bytes() for path in files if path.is_file())
        return text if b"canary 3" in text else b""

    lines = until(recorded, 10, "the events are on disk").splitlines()
    assert not any(b"canary again" in line for line in lines)
    one = next(line for line in lines if b"canary one" in line)
    two = next(line for line in lines if b"canary two" in line)
    assert b'"trivet.cause":"user"' in one
    three = next(line for line in lines if b"canary 3" in line)
    assert b'"trivet.cause":"assistant"' in two
    assert b'"trivet.cause":"user"' in three


def test_an_index_of_another_model_is_noticed_and_searched_by_words_until_it_is_made_anew(
    start_kb: StartKb, engines: dict[str, str]
) -> None:
    kb = start_kb(**engines)
    kb.put("zh/backup.md", LIBRARY["zh/backup.md"])
    kb.indexed()
    stored = kb.collection()["model"]
    assert (stored["name"], stored["dimensions"]) == ("multilingual-e5-small", 384)
    assert (stored["query_prefix"], stored["passage_prefix"]) == ("query: ", "passage: ")
    with sqlite3.connect(kb.data_dir / "kb.db") as database:
        # As if a model of the same size had been there before.
        database.execute("UPDATE collections SET model_key = 'other' WHERE name = 'site'")
    found = kb.search("如何备份")
    assert found["degraded"] == ["model_changed"]
    assert found["results"][0]["source"] == "zh/backup.md#如何备份"
    check = kb.visitor.get("/readyz").json()["checks"]["embedding_model"]
    assert not check["ok"]
    job = kb.admin.post("/api/collections/site/rebuild").json()
    assert kb.job(job["id"])["state"] == "done"
    assert kb.search("如何备份")["degraded"] == []
    assert kb.visitor.get("/readyz").json()["checks"]["embedding_model"]["ok"]


def test_a_files_name_is_its_title_but_is_not_embedded(lonely_kb: Kb) -> None:
    lonely_kb.put("zeppelin.txt", "The pot stands on three legs.")
    (first,) = lonely_kb.search("pot legs", mode="lexical")["results"]
    assert first["title"] == "zeppelin"
    assert lonely_kb.sources("zeppelin", mode="lexical") == []
