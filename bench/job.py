"""What a driver is told to do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import orjson

from bench.client import Target
from bench.process import tree

Figures = dict[str, float | None]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to do, to whom, and whose CPU and memory to watch."""

    scenario: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    model: str = "mock"  # a prefix of the contender's own, then what the upstream reads
    upstream_port: int = 0
    pids: tuple[int, ...] = ()  # roots of the contender's process trees
    own_pids: tuple[int, ...] = ()  # of the bench, beside the contender and the driver
    connections: int = 1
    seconds: float = 2.0
    warm_seconds: float = 0.3
    stagger_seconds: float = 0.0  # over which the first calls of a window are spread
    chunks: int = 50
    streams: int = 0
    early_streams: int = 1000  # after which memory is first looked at, for growth
    idle_rss_bytes: int = 0
    idle_pss_bytes: int = 0

    @property
    def target(self) -> Target:
        return Target(self.url, self.headers)

    def contender(self) -> list[int]:
        """The processes of the contender at this moment."""
        return [pid for root in self.pids for pid in tree(root)]


def as_argument(job: Job) -> str:
    """The job as the one word that `main` takes."""
    return orjson.dumps(asdict(job)).decode()
