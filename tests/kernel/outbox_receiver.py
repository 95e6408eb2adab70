"""What stands for analytics where a test needs its refusals: answers as it is told to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.server import running

Event = dict[str, Any]
Refusal = Callable[[list[Event]], Response | None]


@dataclass
class Receiver:
    """`refuse` may answer a batch in place of taking it; `unfit` names events to reject."""

    refuse: Refusal = lambda _events: None
    unfit: Callable[[Event], bool] = lambda _event: False
    events: dict[str, Event] = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        batch = orjson.loads(await request.body())["events"]
        self.batches.append(len(batch))
        self.tokens.append(request.headers["authorization"])
        refusal = self.refuse(batch)
        if refusal is not None:
            return refusal
        rejected = [i for i, event in enumerate(batch) if self.unfit(event)]
        taken = [event for i, event in enumerate(batch) if i not in rejected]
        fresh = [event for event in taken if event["id"] not in self.events]
        self.events.update({event["id"]: event for event in taken})
        answer = {
            "accepted": len(fresh),
            "duplicates": len(taken) - len(fresh),
            "rejected": [{"index": i, "message": "unfit"} for i in rejected],
        }
        return JSONResponse(answer)


@contextmanager
def receiving(receiver: Receiver) -> Iterator[str]:
    """Serves a receiver; gives its base URL."""
    route = Route("/api/analytics/events", receiver.take, methods=["POST"])
    with running(Starlette(routes=[route])) as base_url:
        yield base_url
