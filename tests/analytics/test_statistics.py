"""What the administrator is told of the last days."""

from datetime import UTC, datetime, timedelta

from tests.analytics.conftest import Service
from tests.analytics.making import NOW, chat, event, failed, feedback, search


def test_totals_are_top_level_numbers(service: Service) -> None:
    service.send(
        chat(session_id="s1"),
        failed("rate_limit_error", 429, session_id="s1"),
        search(session_id="s2"),
        search(found=0),
        feedback("up"),
        feedback("down"),
        event("workflow"),
        event("error", {"error.type": "internal_error"}),
    )
    told = service.statistics()
    expected = {
        "total_events": 8,
        "total_questions": 2,
        "total_searches": 2,
        "total_zero_hits": 1,
        "total_sessions": 2,
        "total_input_tokens": 20,
        "total_output_tokens": 10,
        "total_tokens": 30,
        "total_cost_usd": 0.000246,
        "total_errors": 2,
        "total_thumbs_up": 1,
        "total_thumbs_down": 1,
        "errors": {"internal_error": 1, "rate_limit_error": 1},
        "end_reasons": {"complete": 2},
    }
    assert {name: told[name] for name in expected} == expected


def test_an_empty_database_has_a_whole_answer(service: Service) -> None:
    told = service.statistics(days=7)
    assert told["total_questions"] == 0
    assert told["duration_seconds"] == {"p50": None, "p95": None, "p99": None}
    assert (told["top_queries"], told["by_model"], told["errors"]) == ([], [], {})
    assert [period["label"][-2:] for period in told["series"]] == [
        "15", "16", "17", "18", "19", "20", "21",
    ]  # fmt: skip


def test_percentiles_are_of_chats_and_searches_apart(service: Service) -> None:
    chats = [chat(extra={"trivet.duration_seconds": n / 10}) for n in range(1, 101)]
    for first in range(0, 100, 20):  # the same quarter of an hour, batch by batch
        service.send(*chats[first : first + 20])
    service.send(search())
    told = service.statistics()
    for name, exact in (("p50", 5.0), ("p95", 9.5), ("p99", 9.9)):
        assert abs(told["duration_seconds"][name] - exact) <= 0.05 * exact
    assert abs(told["first_token_seconds"]["p50"] - 0.25) <= 0.05 * 0.25
    assert abs(told["search_duration_seconds"]["p99"] - 0.02) <= 0.05 * 0.02


def test_models_are_told_apart_the_busiest_first(service: Service) -> None:
    other = {"gen_ai.provider.name": "local"}
    service.send(
        chat(model="m1"),
        chat(model="m1"),
        chat(model="m2"),
        failed(model="m2"),
        failed(model="m2"),
        chat(model="m1", extra=other),
    )
    told = service.statistics()
    assert [(m["provider"], m["model"], m["questions"], m["errors"]) for m in told["by_model"]] == [
        ("doubao", "m2", 3, 2),
        ("doubao", "m1", 2, 0),
        ("local", "m1", 1, 0),
    ]
    assert [(m["provider"], m["questions"]) for m in told["by_provider"]] == [
        ("doubao", 5),
        ("local", 1),
    ]
    assert told["by_model"][0]["cost_usd"] == 0.000369


def test_embeddings_have_a_price_and_ask_nothing(service: Service) -> None:
    counted = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "vectors"}
    usage = {"gen_ai.usage.input_tokens": 7, "trivet.cost_usd": 0.5, "trivet.duration_seconds": 9}
    service.send(chat(), event("embedding", {**counted, **usage}))
    told = service.statistics()
    assert (told["total_questions"], told["total_input_tokens"]) == (1, 17)
    [vectors] = [model for model in told["by_model"] if model["model"] == "vectors"]
    assert (vectors["questions"], vectors["embeddings"]) == (0, 1)
    assert (vectors["input_tokens"], vectors["cost_usd"]) == (7, 0.5)
    assert told["duration_seconds"]["p99"] < 2  # of answers to people
    [record] = service.queries(kind="embedding")
    assert (record["provider"], record["model"], record["text"]) == ("openai", "vectors", None)


def test_top_queries_are_what_people_asked_not_what_assistants_looked_up(service: Service) -> None:
    service.send(
        *(chat("如何备份") for _ in range(3)),
        *(search("如何备份", cause="assistant", found=0) for _ in range(3)),
        *(search("backup") for _ in range(2)),
        search("only looked up", cause="assistant"),
    )
    top = service.statistics()["top_queries"]
    names = ("text", "count", "questions", "searches", "zero_hits")
    assert [tuple(query[name] for name in names) for query in top] == [
        ("如何备份", 3, 3, 0, 3),
        ("backup", 2, 0, 2, 0),
    ]


def test_half_hour_zones_divide_days_at_their_own_midnight(service: Service) -> None:
    before = datetime(2026, 11, 20, 18, 29, 59, tzinfo=UTC)
    service.send(chat(time=before), chat(time=before + timedelta(seconds=1)))
    by_day = {
        zone: {
            period["label"]: period["questions"]
            for period in service.statistics(tz=zone)["series"]
            if period["questions"]
        }
        for zone in ("Asia/Kolkata", "UTC", "Asia/Kathmandu")
    }
    assert by_day == {
        "Asia/Kolkata": {"2026-11-20": 1, "2026-11-21": 1},
        "UTC": {"2026-11-20": 2},
        "Asia/Kathmandu": {"2026-11-21": 2},
    }


def test_the_window_is_whole_days_of_the_reader(service: Service) -> None:
    midnight = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)  # in Shanghai
    service.send(chat(time=midnight), chat(time=midnight - timedelta(microseconds=1)))
    told = service.statistics(days=1, tz="Asia/Shanghai")
    assert told["total_questions"] == 1
    assert told["start"] == "2026-11-20T16:00:00.000000Z"
    assert told["end"] == "2026-11-21T16:00:00.000000Z"


def test_series_are_by_hour_week_and_month_too(service: Service) -> None:
    service.send(chat(session_id="s"), chat(ago=timedelta(days=20)))
    labels = {
        group: [(p["label"], p["questions"]) for p in told["series"] if p["questions"]]
        for group in ("hour", "week", "month")
        for told in [service.statistics(days=30, group_by=group, tz="Asia/Kolkata")]
    }
    assert labels == {
        "hour": [("2026-11-01T17:00+05:30", 1), ("2026-11-21T17:00+05:30", 1)],
        "week": [("2026-W44", 1), ("2026-W47", 1)],
        "month": [("2026-11", 2)],
    }


def test_a_conversation_counts_where_it_began_even_when_that_is_learnt_late(
    service: Service,
) -> None:
    service.send(chat(session_id="s1"), chat(session_id="s1", ago=timedelta(days=1)))
    service.send(chat(session_id="s1", ago=timedelta(days=2)))
    days = {p["label"]: p["sessions"] for p in service.statistics(days=3)["series"]}
    assert days == {"2026-11-19": 1, "2026-11-20": 0, "2026-11-21": 0}
    assert service.statistics(days=3)["total_sessions"] == 1
    assert NOW.date().isoformat() in days
