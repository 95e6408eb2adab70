"""Ranked words in real SQLite: Chinese, English, one character, and nothing of FTS5's syntax."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event

from services.kb.lexical import LexicalIndex, Match
from services.kb.search_filter import Scope
from services.kb.search_terms import index_text, query_terms
from services.kernel.database import open_engine, write

PASSAGES = {
    1: ("备份", "备份的方法是停止、复制 data/ 目录、再启动。"),
    2: ("Back up", "Stop Trivet, copy the folder data, start it again. Databases are files."),
    3: ("安装", "运行 make run 即可安装并启动全部服务。"),
    4: ("Ports", "nginx listens on port 8740. TRIVET_HTTP_PORT changes it."),
    5: ("足", "鼎有三足"),
}


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    engine = open_engine(tmp_path_factory.mktemp("lexical") / "words.db")
    with write(engine) as connection:
        index = LexicalIndex(7)
        index.create(connection)
        for chunk_id, (heading, body) in PASSAGES.items():
            index.put(connection, chunk_id, heading, body)
        yield connection
    engine.dispose()


def found(connection: Connection, query: str) -> list[int]:
    return [match.chunk_id for match in LexicalIndex(7).search(connection, query, 10)]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("如何备份", 1),
        ("怎么安装服务？", 3),
        ("how to back up a database", 2),
        ("DATABASE", 2),
        ("trivet_http_port", 4),
        ("８７４０", 4),
        ("足", 5),
        ("鼎", 5),
        ("份", 1),
        ("目", 1),
    ],
)
def test_a_query_finds_its_passage_first(connection: Connection, query: str, first: int) -> None:
    assert found(connection, query)[0] == first


@pytest.mark.parametrize("query", ["", "？！", "zebra", "象", "   "])
def test_what_is_not_there_finds_nothing(connection: Connection, query: str) -> None:
    assert found(connection, query) == []


@pytest.mark.parametrize(
    "query",
    ['"', "a AND", "NEAR(", "heading:备份", "* OR *", "back^2", "-", "data NOT stop", "{x}"],
)
def test_the_syntax_of_fts5_is_only_text(connection: Connection, query: str) -> None:
    assert set(found(connection, query)) <= set(PASSAGES)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=st.text(max_size=60))
def test_no_query_breaks_the_search(connection: Connection, query: str) -> None:
    assert set(found(connection, query)) <= set(PASSAGES)


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet="备份ab 三.X_9ß", max_size=40))
def test_every_word_of_a_text_can_be_asked_for(text: str) -> None:
    words = set(index_text(text).split())
    for term in query_terms(text):
        assert term.word in words or any(word.startswith(term.word) for word in words)


def test_question_words_are_left_out_unless_there_is_nothing_else() -> None:
    assert [term.word for term in query_terms("How do I back up the databases?")] == [
        "back",
        "up",
        "database",
    ]
    assert [term.word for term in query_terms("请问如何备份数据")] == ["备份", "份数", "数据"]
    assert [term.word for term in query_terms("what is it")] == ["what", "is", "it"]
    assert query_terms("什么") != []


def test_evidence_tells_a_full_match_from_a_stray_one(connection: Connection) -> None:
    def best(query: str) -> Match:
        return LexicalIndex(7).search(connection, query, 10)[0]

    assert best("停止 复制 目录").evidence > 0.5
    assert best("停止 火星 探测 望远 镜片 折射").evidence < 0.3


def test_a_passage_that_is_replaced_or_removed_leaves_no_word(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "words.db")
    index = LexicalIndex(1)
    with write(engine) as connection:
        index.create(connection)
        index.put(connection, 1, "", "aardvark 土豚")
        index.put(connection, 1, "", "badger")
        assert index.search(connection, "aardvark 土豚", 5) == []
        index.remove(connection, [1])
        assert index.search(connection, "badger", 5) == []
        words = connection.exec_driver_sql("SELECT term FROM terms_1_words").scalars().all()
        assert words == []
    engine.dispose()


def test_traditional_and_simplified_chinese_are_the_same_words() -> None:
    assert index_text("軟體備份與資料庫") == index_text("软体备份与资料库")
    assert query_terms("請問什麼是備份") == query_terms("请问什么是备份")


def test_in_a_big_collection_common_words_are_asked_for_only_where_nothing_is_rarer(
    tmp_path: Path,
) -> None:
    engine = open_engine(tmp_path / "words.db")
    with write(engine) as connection:
        index = LexicalIndex(1)
        index.create(connection)
        for chunk_id in range(2_100):
            rare = "trivet" if chunk_id % 700 == 0 else "kettle"
            index.put(connection, chunk_id, "", f"copper pots {rare}")
        assert [match.chunk_id for match in index.search(connection, "copper trivet", 50)] == [
            0,
            700,
            1400,
        ]
        assert len(index.search(connection, "copper pots", 50)) == 50
    engine.dispose()


def test_a_filter_asks_the_index_once_and_not_for_each_passage(connection: Connection) -> None:
    statements: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        statements.append((statement, values))

    scope = Scope("SELECT value FROM json_each(:f_ids)", {"f_ids": "[2, 4, 5]"})
    event.listen(connection, "before_cursor_execute", listen)
    try:
        matches = LexicalIndex(7).search(connection, "copy the port 备份", 10, scope)
    finally:
        event.remove(connection, "before_cursor_execute", listen)
    assert {match.chunk_id for match in matches} == {2, 4}
    ((statement, values),) = [one for one in statements if " MATCH " in one[0]]
    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    (how,) = [row[3] for row in plan if "SCAN terms_7 " in row[3]]
    assert "=" not in how  # a rowid that must be equal: FTS5 would begin anew for each
