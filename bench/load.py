"""The load driver: one scenario against one address; prints one JSON object of figures.

    python -m bench.load '{"scenario": "paced", "url": "http://127.0.0.1:8741/v1/chat/completions"}'

A process of its own, so that it can be pinned and so that no scenario inherits another's memory.
"""

import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import orjson
import uvloop

from bench.endurance import disconnect, growth, hold
from bench.job import Figures, Job
from bench.process import raise_file_limit
from bench.throughput import json_calls, streams

SCENARIOS: Mapping[str, Callable[[Job], Coroutine[Any, Any, Figures]]] = {
    "json": json_calls,
    "streams": streams,
    "hold": hold,
    "disconnect": disconnect,
    "growth": growth,
}


def main(argument: str) -> None:
    given: dict[str, Any] = orjson.loads(argument)
    job = Job(**given)
    raise_file_limit()
    sys.stdout.buffer.write(orjson.dumps(uvloop.run(SCENARIOS[job.scenario](job))) + b"\n")


if __name__ == "__main__":
    main(sys.argv[1])
