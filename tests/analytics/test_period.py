"""The reader's calendar over quarters of an hour in UTC."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.analytics.models import BUCKET_SECONDS
from services.analytics.period import Periods, bucket_time, window
from services.analytics.schemas import GroupBy

ZONES = [
    "UTC",
    "Asia/Shanghai",
    "Asia/Kolkata",  # +05:30
    "Asia/Kathmandu",  # +05:45
    "Australia/Lord_Howe",  # clocks move by half an hour
    "America/New_York",
    "America/St_Johns",  # -03:30
    "Africa/Cairo",  # clocks leap over midnight
    "Pacific/Apia",
]
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31)).map(
    lambda naive: naive.replace(tzinfo=UTC)
)


def starts(tz: str, now: str, days: int, group_by: GroupBy) -> list[tuple[str, str]]:
    periods = Periods(window(days, tz, datetime.fromisoformat(now)), group_by)
    return [
        (label, bucket_time(start).isoformat()[:16])
        for label, start in zip(periods.labels, periods.starts, strict=True)
    ]


def test_days_begin_at_the_readers_midnight() -> None:
    assert starts("Asia/Kolkata", "2026-11-21T20:00:00+00:00", 2, "day") == [
        ("2026-11-21", "2026-11-20T18:30"),
        ("2026-11-22", "2026-11-21T18:30"),
    ]


def test_a_day_that_the_clock_shortens_has_23_hours() -> None:
    found = starts("America/New_York", "2026-03-09T12:00:00+00:00", 2, "day")
    assert [start for _, start in found] == ["2026-03-08T05:00", "2026-03-09T04:00"]


def test_an_hour_that_the_clock_repeats_is_two() -> None:
    found = [
        label for label, _ in starts("America/New_York", "2026-11-01T12:00:00+00:00", 1, "hour")
    ]
    assert len(found) == 25
    assert found[1:3] == ["2026-11-01T01:00-04:00", "2026-11-01T01:00-05:00"]


def test_a_day_whose_midnight_is_leapt_over_begins_when_the_clock_leaps() -> None:
    found = starts("Africa/Cairo", "2026-04-24T12:00:00+00:00", 1, "day")
    assert found == [("2026-04-24", "2026-04-23T22:00")]


def test_weeks_and_months_are_named_as_the_calendar_does() -> None:
    weeks = starts("UTC", "2027-01-05T00:00:00+00:00", 10, "week")
    assert weeks == [
        ("2026-W52", "2026-12-27T00:00"),
        ("2026-W53", "2026-12-28T00:00"),
        ("2027-W01", "2027-01-04T00:00"),
    ]
    months = starts("Asia/Shanghai", "2026-11-21T00:00:00+00:00", 30, "month")
    assert [label for label, _ in months] == ["2026-10", "2026-11"]


@pytest.mark.parametrize("tz", ZONES)
@settings(max_examples=25, deadline=None)
@given(now=MOMENTS, days=st.integers(1, 40), group_by=st.sampled_from(["hour", "day", "week"]))
def test_each_quarter_of_an_hour_falls_into_the_period_of_its_local_time(
    tz: str, now: datetime, days: int, group_by: GroupBy
) -> None:
    asked = window(days, tz, now)
    periods = Periods(asked, group_by)
    assert periods.starts == sorted(set(periods.starts))
    assert periods.starts[0] == asked.first
    assert asked.first <= int(now.timestamp()) // BUCKET_SECONDS < asked.end
    for bucket in range(asked.first, asked.end, 7):
        local = bucket_time(bucket).astimezone(ZoneInfo(tz))
        place = bisect_right(periods.starts, bucket) - 1
        assert periods.spans[place][0] <= bucket < periods.spans[place][1]
        label = periods.labels[place]
        if group_by == "hour":
            assert label == local.replace(minute=0).isoformat(timespec="minutes")
        elif group_by == "day":
            assert label == local.date().isoformat()
        else:
            assert datetime.strptime(f"{label}-1", "%G-W%V-%u").date() == (
                local.date() - timedelta(days=local.weekday())
            )
