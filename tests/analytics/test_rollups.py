"""The sums tell what the records told: always, also after a cleanup has taken the records."""

import math
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from services.analytics.combination import Dictionary
from services.analytics.database import open_database
from services.analytics.intake import take_in
from services.analytics.models import Event as EventTable
from services.analytics.models import table
from services.analytics.queries import RecordFinder
from services.analytics.question_counts import QuestionCounts
from services.analytics.retention import clean_up
from services.analytics.schemas import CleanupBody, RecordFilter, StatisticsQuery
from services.analytics.settings import Settings
from services.analytics.statistics import statistics
from services.analytics.storage import EventStore
from services.kernel.database import read, write
from tests.analytics.making import NOW, Event, chat, event, failed, feedback, search

# Few enough that batches meet in the same quarter of an hour, on both sides of cleanups.
AGES = st.sampled_from([timedelta(minutes=m) for m in (0, 1, 90, 60 * 30, 60 * 24 * 20)]) | (
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=40))
)
SESSIONS = st.sampled_from([None, "s1", "s2", "s3"])


@st.composite
def events(draw: st.DrawFn) -> Event:
    common: dict[str, Any] = {"ago": draw(AGES), "session_id": draw(SESSIONS)}
    kind = draw(
        st.sampled_from(["chat", "failed", "search", "feedback", "workflow", "error", "embedding"])
    )
    if kind in ("chat", "failed"):
        extra = {
            "gen_ai.usage.input_tokens": draw(st.integers(0, 10**6)),
            "trivet.cost_usd": draw(st.sampled_from([None, 0.0, 1e-9, 0.1, 0.2, 123.456])),
            "trivet.duration_seconds": draw(st.none() | st.sampled_from([0.1, 1.0, 30.0])),
        }
        make = chat if kind == "chat" else failed
        return make(extra=extra, model=draw(st.sampled_from(["m1", "m2"])), **common)
    if kind == "search":
        return search(found=draw(st.integers(0, 2)), **common)
    if kind == "feedback":
        return feedback(draw(st.sampled_from(["up", "down"])), **common)
    return event(kind, **common)


class SumsAndRecords(RuleBasedStateMachine):
    """Batches with repetitions and cleanups, in any order, against a model that keeps all."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.settings = Settings(data_dir=Path(self.folder.name))
        self.database = open_database(self.settings)
        self.store = EventStore()
        self.counts = QuestionCounts()  # what it remembers must stay true, whatever comes
        self.accepted: dict[str, Event] = {}
        self.sessions: dict[str, list[datetime]] = {}
        self.begun = 0
        self.cutoff = datetime(2020, 1, 1, tzinfo=UTC)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.database.dispose()
            self.folder.cleanup()

    @rule(batch=st.lists(events(), min_size=1, max_size=15), again=st.randoms())
    def send(self, batch: list[Event], again: Any) -> None:
        known = [*self.accepted.values(), *batch]
        sent = batch + [again.choice(known) for _ in range(3)]
        records = [record for _, record in take_in(sent, store_questions=True, now=NOW).records]
        with write(self.database.writing) as connection:
            (stored,) = self.store.add(connection, [records])
        fresh = [e for e in batch if _time(e) >= self.cutoff]
        assert stored.accepted == len(fresh)
        assert stored.accepted + stored.duplicates + len(stored.too_old) == len(sent)
        self.accepted |= {e["id"]: e for e in fresh}
        self._count_sessions(fresh)

    def _count_sessions(self, fresh: list[Event]) -> None:
        for one in fresh:
            name = one["session_id"]
            if name is not None:
                self.begun += name not in self.sessions
                self.sessions.setdefault(name, []).append(_time(one))

    @rule(days=st.integers(1, 45), dry_run=st.booleans())
    def clean(self, days: int, dry_run: bool) -> None:
        body = CleanupBody(older_than_days=days, dry_run=dry_run)
        with read(self.database.reading) as connection:
            rows_before = connection.scalar(select(func.count()).select_from(table(EventTable)))
        answer = clean_up(self.database.writing, self.settings.database_path, body, NOW)
        assert answer.deleted.total == (0 if dry_run else answer.would_delete.total)
        with read(self.database.reading) as connection:
            rows_after = connection.scalar(select(func.count()).select_from(table(EventTable)))
        assert rows_before is not None
        assert rows_after == rows_before - answer.deleted.total
        if not dry_run:
            cutoff = NOW - timedelta(days=days)
            self.cutoff = max(self.cutoff, cutoff)
            ended = [n for n, times in self.sessions.items() if max(times) < cutoff]
            for name in ended:
                del self.sessions[name]

    @invariant()
    def sums_are_those_of_all_that_was_accepted(self) -> None:
        if not hasattr(self, "accepted"):
            return
        with read(self.database.reading) as connection:
            query = StatisticsQuery(days=60, tz="Asia/Kolkata")
            told = statistics(connection, Dictionary(), self.counts, query, NOW)
        kinds = Counter(e["kind"] for e in self.accepted.values())
        values = [e["attributes"] for e in self.accepted.values()]
        assert told.total_events == len(self.accepted)
        assert told.total_questions == kinds["chat"]
        assert told.total_searches == kinds["search"]
        assert told.total_sessions == self.begun
        assert told.total_zero_hits == sum(v.get("trivet.total_found") == 0 for v in values)
        assert told.total_input_tokens == _sum(values, "gen_ai.usage.input_tokens")
        assert told.total_output_tokens == _sum(values, "gen_ai.usage.output_tokens")
        assert math.isclose(told.total_cost_usd, _sum(values, "trivet.cost_usd"), abs_tol=1e-9)
        assert told.total_errors == kinds["error"] + sum("error.type" in v for v in values)
        assert told.total_thumbs_up == sum(v.get("trivet.rating") == "up" for v in values)
        self._percentile_is_near(0.5, told.duration_seconds.p50)
        self._percentile_is_near(0.95, told.duration_seconds.p95)
        self._series_adds_up(told)
        self._texts_are_those_of_the_records_that_are_left(told)

    def _texts_are_those_of_the_records_that_are_left(self, told: Any) -> None:
        left = [e for e in self.accepted.values() if _time(e) >= self.cutoff]
        questions = sum(e["kind"] == "chat" for e in left)
        searches = sum(e["kind"] == "search" for e in left)
        assert told.top_queries_missed_at_most == 0
        assert sum(query.questions for query in told.top_queries) == questions
        assert sum(query.searches for query in told.top_queries) == searches
        with read(self.database.reading) as connection:
            finder = RecordFinder(connection, Dictionary())
            found = finder.keys(RecordFilter.model_validate({"text": "how"}), 10_000)
            assert isinstance(found, list)
            assert len(found) == questions + searches
            counted = connection.exec_driver_sql("SELECT count(*) FROM event").scalar_one()
            assert counted == len(left)

    def _percentile_is_near(self, quantile: float, found: float | None) -> None:
        chats = [e["attributes"] for e in self.accepted.values() if e["kind"] == "chat"]
        values = sorted(v["trivet.duration_seconds"] or 0 for v in chats if _timed(v))
        if not values:
            assert found is None
            return
        exact = values[max(math.ceil(quantile * len(values)), 1) - 1]
        assert found is not None
        assert abs(found - exact) <= 0.05 * exact

    def _series_adds_up(self, told: Any) -> None:
        for name in ("questions", "searches", "zero_hits", "sessions", "errors"):
            assert sum(getattr(p, name) for p in told.series) == getattr(told, f"total_{name}")
        by_model = sum(m.questions for m in told.by_model)
        assert by_model == sum(m.questions for m in told.by_provider) == told.total_questions


def _time(one: Event) -> datetime:
    return datetime.fromisoformat(one["time"])


def _sum(values: list[dict[str, Any]], name: str) -> float:
    return sum(v.get(name) or 0 for v in values)


def _timed(attributes: dict[str, Any]) -> bool:
    return attributes.get("trivet.duration_seconds") is not None


def test_sums_tell_what_the_records_told_whatever_happens() -> None:
    run_state_machine_as_test(
        SumsAndRecords,
        settings=hypothesis_settings(max_examples=10, stateful_step_count=8, deadline=None),
    )
