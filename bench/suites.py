"""The suites that `python -m bench` knows; each measures one part of the product.

A suite is a function from `Options` to a `Result`. A new one gets a module of its own and a row in
`SUITES`. One whose precondition is missing raises `Unavailable`, and the others still run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench import analytics, gateway, kb, setup, stack
from bench.options import Options
from bench.report import Result


@dataclass(frozen=True)
class Suite:
    run: Callable[[Options], Result]
    summary: str
    by_default: bool = True


SUITES: Mapping[str, Suite] = {
    "gateway": Suite(gateway.run, "what llm_proxy costs beside nginx as a plain proxy"),
    "analytics": Suite(
        analytics.run,
        "events in, reads and exports over ten million records; when named",
        by_default=False,
    ),
    "kb": Suite(kb.run, "search, ingestion and embedding; quality with --golden"),
    "stack": Suite(stack.run, "set-up time, memory and time to first token of the running stack"),
    "setup": Suite(
        setup.run, "the same of a fresh clone, downloads included; when named", by_default=False
    ),
}
