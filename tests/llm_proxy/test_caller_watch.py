"""What ends the work for a caller: that they leave, or that the server has waited long enough."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from services.kernel.errors import Overloaded
from services.kernel.middleware import Incoming
from services.kernel.protocol import Presence
from services.llm_proxy.caller_watch import CallerWatch


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def gone() -> Message:
    return {"type": "http.disconnect"}


async def work(receive: Callable[[], Awaitable[Message]]) -> None:
    with CallerWatch(receive):
        await asyncio.Event().wait()


def here(presence: Presence) -> Incoming:
    """What a server that tells of leaving hands to a handler."""
    return Incoming(never, presence)


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(main, 5))


def test_a_caller_who_is_gone_ends_the_work() -> None:
    with pytest.raises(ClientDisconnect):
        run(work(gone))


def test_a_server_that_tells_of_leaving_ends_the_work() -> None:
    async def main() -> None:
        presence = Presence()
        task = asyncio.create_task(work(here(presence)))
        await asyncio.sleep(0)
        presence.end()
        await task

    with pytest.raises(ClientDisconnect):
        run(main())


def test_a_caller_who_left_before_the_work_began_ends_it() -> None:
    presence = Presence()
    presence.end()
    with pytest.raises(ClientDisconnect):
        run(work(here(presence)))


def test_nobody_is_told_when_the_work_is_over() -> None:
    async def main() -> None:
        presence = Presence()
        with CallerWatch(here(presence)) as watch:
            watch.over = True
            presence.end()
            await asyncio.sleep(0)
        other = Presence()
        with CallerWatch(here(other)):
            pass
        other.end()
        await asyncio.sleep(0)

    run(main())


def test_a_server_that_stops_tells_the_caller_so() -> None:
    async def main() -> None:
        task = asyncio.create_task(work(never))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(Overloaded, match="restarting"):
        run(main())


def test_what_comes_after_the_last_bytes_is_no_disconnect() -> None:
    async def main() -> None:
        with CallerWatch(gone) as watch:
            watch.over = True
            await asyncio.sleep(0.03)  # longer than it waits before it looks

    run(main())
