"""Days, weeks and months as the reader's calendar has them, over quarters of an hour in UTC.

Every offset in use is a multiple of a quarter of an hour, so a local midnight starts a bucket.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.analytics.models import BUCKET_SECONDS
from services.analytics.schemas import GroupBy


@dataclass(frozen=True)
class Window:
    """Whole local days: buckets from `first` up to and without `end`."""

    first: int
    end: int
    zone: ZoneInfo
    days: tuple[date, ...]


def window(days: int, tz: str, now: datetime) -> Window:
    """The last `days` days of the reader's calendar, today included."""
    zone = ZoneInfo(tz)
    today = now.astimezone(zone).date()
    dates = tuple(today - timedelta(days=n) for n in range(days - 1, -1, -1))
    end = today + timedelta(days=1)
    return Window(_midnight(dates[0], zone), _midnight(end, zone), zone, dates)


def _midnight(day: date, zone: ZoneInfo) -> int:
    """The bucket in which a local day begins; where clocks leap over midnight, when they leap."""
    return int(datetime.combine(day, time(), zone).timestamp()) // BUCKET_SECONDS


def bucket_time(bucket: int) -> datetime:
    return datetime.fromtimestamp(bucket * BUCKET_SECONDS, UTC)


class Periods:
    """The periods of a window in order; the first and the last may be cut by the window. `spans`:
    the bucket in which each begins and the one before which it ends."""

    def __init__(self, window: Window, group_by: GroupBy) -> None:
        source = _hours(window) if group_by == "hour" else _dates(window, group_by)
        starts: dict[str, int] = {}
        for label, bucket in source:
            starts.setdefault(label, bucket)
        self.labels = list(starts)
        self.starts = list(starts.values())
        self.spans = list(zip(self.starts, [*self.starts[1:], window.end], strict=True))


def _dates(window: Window, group_by: GroupBy) -> Iterator[tuple[str, int]]:
    for day in window.days:
        yield label_of(day, group_by), _midnight(day, window.zone)


def label_of(day: date, group_by: GroupBy) -> str:
    """The period that holds a day, as it is called."""
    if group_by == "month":
        return day.isoformat()[:7]
    if group_by == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    return day.isoformat()


def _hours(window: Window) -> Iterator[tuple[str, int]]:
    """An hour that a clock set back repeats is another one: its offset is another."""
    for bucket in range(window.first, window.end):
        local = bucket_time(bucket).astimezone(window.zone)
        yield local.replace(minute=0).isoformat(timespec="minutes"), bucket
