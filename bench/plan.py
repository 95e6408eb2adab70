"""What the gateway suite does, how long and how often; both plans do the same work."""

from collections.abc import Mapping
from dataclasses import dataclass

Work = Mapping[str, object]  # fields of `bench.job.Job`
# When callers leave: the phase's name, how upstream answers then, the chunks to be seen before.
DEPARTURES = (
    ("waiting", "+first_ms=60000", 0),
    ("flowing", "+chunks=3000+delay_ms=20", 3),
    ("silent", "+chunks=3000+quiet_after=3", 3),
)


@dataclass(frozen=True)
class Plan:
    rounds: int
    works: Mapping[str, Work]
    hold: Work
    growth: Work
    leavers: int  # callers that leave, in each of the three phases
    with_references: bool  # also no proxy at all, and the bare relay

    def models(self) -> list[str]:
        """All names under which the upstream's model is called."""
        jobs = [*self.works.values(), self.hold, self.growth]
        left = {f"mock{behaviour}" for _, behaviour, _ in DEPARTURES}
        return sorted(left | {str(job.get("model", "mock")) for job in jobs})


def works(json1: float, json32: float, paced: float, flood: float) -> dict[str, Work]:
    """The work of each round, by name, with the seconds given to each."""
    return {
        "json1": {"scenario": "json", "connections": 1, "seconds": json1},
        "json32": {"scenario": "json", "connections": 32, "seconds": json32},
        "paced": {
            "scenario": "streams",
            "model": "mock+chunks=50+delay_ms=20",
            "connections": 20,
            "chunks": 50,
            "seconds": paced,
            "stagger_seconds": 1.0,  # one stream's time: they do not begin and end together
        },
        "flood": {
            "scenario": "streams",
            "model": "mock+chunks=200",
            "connections": 32,
            "chunks": 200,
            "seconds": flood,
        },
    }


def slow_streams(count: int, seconds: int) -> Work:
    """Streams of one chunk a second, so many of them and so long."""
    return {
        "scenario": "hold",
        "model": f"mock+chunks={seconds}+delay_ms=1000",
        "streams": count,
        "chunks": seconds,
    }


def short_streams(count: int) -> Work:
    """Streams of three chunks, one after the other on 32 connections."""
    return {
        "scenario": "growth",
        "model": "mock+chunks=3",
        "streams": count,
        "early_streams": 1000,
        "chunks": 3,
        "connections": 32,
    }


FULL = Plan(
    rounds=5,
    works=works(1.5, 2.5, 4.0, 2.5),
    hold=slow_streams(2000, 10),
    growth=short_streams(50_000),
    leavers=20,
    with_references=True,
)
QUICK = Plan(
    rounds=3,
    works=works(1.0, 1.5, 2.0, 1.5),
    hold=slow_streams(2000, 8),
    growth=short_streams(10_000),
    leavers=10,
    with_references=False,
)
