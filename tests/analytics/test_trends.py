"""What questions are about, conversations, and the most frequent questions."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.analytics import questions
from services.analytics.combination import Dictionary
from services.analytics.database import open_database
from services.analytics.intake import take_in
from services.analytics.intents import read_rules
from services.analytics.question_counts import QuestionCounts
from services.analytics.schemas import StatisticsQuery
from services.analytics.settings import Settings
from services.analytics.statistics import statistics
from services.analytics.storage import EventStore
from services.kernel.database import read, write
from services.kernel.errors import ConfigurationError
from tests.analytics.conftest import Service, serve
from tests.analytics.making import NOW, chat, search

ROOT = Path(__file__).parents[2]
RULES = ROOT / "config" / "intents.yaml"


@pytest.mark.parametrize(
    ("question", "intent"),
    [
        ("这个多少钱？", "price"),
        ("What does it COST?", "price"),
        ("costume party", "other"),
        ("ｐｒｉｃｅ list", "price"),
        ("如何备份", "setup"),
        ("Sign  in", "other"),
        ("I cannot sign in", "account"),
        ("你好", "other"),
    ],
)
def test_a_question_is_about_what_its_words_say(question: str, intent: str) -> None:
    assert read_rules(RULES).of(question) == intent


def test_without_a_file_all_is_other(tmp_path: Path) -> None:
    assert read_rules(tmp_path / "none.yaml").of("price") == "other"


@pytest.mark.parametrize(
    "text",
    [
        "intents: 3",
        "intents: [{name: x}]",
        "intents: [{name: X, en: [a]}]",
        "intents: [{name: x, en: ['']}]",
        "intents: [{name: x, en: [a]}, {name: x, zh: [b]}]",
        "intents: [{name: other, en: [a]}]",
        "intents: [{name: x, en: a}]",
        "more: 1\nintents: []",
        "[",
    ],
)
def test_a_file_of_rules_that_is_wrong_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "intents.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="ANALYTICS_INTENTS_FILE"):
        read_rules(path)


def test_intents_are_counted_and_drawn_in_the_readers_time_zone(tmp_path: Path) -> None:
    for service in serve(Settings(data_dir=tmp_path, intents_file=RULES)):
        service.send(
            chat("多少钱"),
            chat("how much is the price"),
            chat("你好", ago=timedelta(hours=15)),
            search("price"),
        )
        told = service.get("intent-distribution", days=7)
        assert told["total"] == 3
        assert told["intents"][0] == {"intent": "price", "count": 2, "share": 0.666667}
        trend = service.get("query-trend", days=2, tz="Asia/Kolkata")["series"]
        assert [period["questions"] for period in trend] == [0, 3]
        trend = service.get("query-trend", days=2, tz="America/New_York")["series"]
        assert [period["intents"] for period in trend] == [{"other": 1}, {"price": 2}]
        assert sum(period["searches"] for period in trend) == 1


def test_conversations_are_told_the_last_heard_of_first(service: Service) -> None:
    service.send(
        chat(session_id="a", ago=timedelta(minutes=10)),
        search(session_id="a", ago=timedelta(minutes=9)),
        chat(session_id="b", ago=timedelta(minutes=5)),
        chat(session_id="c", ago=timedelta(minutes=20)),
        chat(),
    )
    page = service.get("sessions", limit=2)
    assert [item["session_id"] for item in page["items"]] == ["b", "a"]
    first = page["items"][1]
    assert (first["events"], first["questions"], first["duration_seconds"]) == (2, 1, 60.0)
    rest = service.get("sessions", limit=2, cursor=page["next_cursor"])
    assert [item["session_id"] for item in rest["items"]] == ["c"]
    assert rest["next_cursor"] is None
    assert len(service.queries(session="a")) == 2


@hypothesis_settings(max_examples=10, deadline=None)
@given(
    asked=st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from([1, 5, 13, 16, 20, 40])),
        min_size=1,
        max_size=80,
    )
)
def test_no_count_of_a_question_is_too_high_and_none_too_low_by_more_than_is_said(
    tmp_path_factory: pytest.TempPathFactory, asked: list[tuple[int, int]]
) -> None:
    """With room for few questions a day, so that the bound is at work."""
    database = open_database(Settings(data_dir=tmp_path_factory.mktemp("data")))
    store = EventStore()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(questions, "_KEEP", 4)
        for start in range(0, len(asked), 9):
            some = asked[start : start + 9]
            events = [chat(f"q{n}", ago=timedelta(hours=hours)) for n, hours in some]
            found = take_in(events, store_questions=True, now=NOW)
            with write(database.writing) as connection:
                store.add(connection, [[record for _, record in found.records]])
        with read(database.reading) as connection:
            query = StatisticsQuery(days=2, tz="Asia/Kolkata")
            told = statistics(connection, Dictionary(), QuestionCounts(), query, NOW)
            rows = connection.exec_driver_sql("SELECT count(*) FROM question_day GROUP BY day")
            assert all(count < 8 for count in rows.scalars())
    database.dispose()
    # Two days of Kolkata before 17:30 of the second one: the last 41.5 hours.
    exact = Counter(f"q{n}" for n, hours in asked if hours <= 41)
    for query_told in told.top_queries:
        assert query_told.count <= exact[query_told.text]
        assert query_told.count + told.top_queries_missed_at_most >= exact[query_told.text]
