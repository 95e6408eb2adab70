"""The caller's side of a stream: what is sent, when, and what never is."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.types import Message

from services.llm_proxy.outlet import HEARTBEAT, Outlet


class Caller:
    """Keeps what is sent; takes nothing while it is not `free`."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.free = asyncio.Event()
        self.free.set()
        self.waiting = 0

    async def send(self, message: Message) -> None:
        self.waiting += 1
        try:
            await self.free.wait()
        finally:
            self.waiting -= 1
        self.messages.append(message)

    @property
    def bodies(self) -> list[bytes]:
        return [m["body"] for m in self.messages if m["type"] == "http.response.body"]


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(main(), 10))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  # what is waited for sets no event
        await asyncio.sleep(0.005)


def test_a_silence_is_filled_and_the_headers_are_sent_once() -> None:
    async def main() -> None:
        caller = Caller()
        with Outlet(caller.send, 0.01) as outlet:
            await until(lambda: len(caller.bodies) > 2)
            outlet.headers = [(b"x-late", b"1")]
            await outlet.write(b"data: x\n\n")
            await outlet.finish(b"data: [DONE]\n\n")
        starts = [m for m in caller.messages if m["type"] == "http.response.start"]
        assert len(starts) == 1
        assert (b"x-late", b"1") not in starts[0]["headers"]
        assert set(caller.bodies[:-2]) == {HEARTBEAT}
        assert caller.messages[-1]["more_body"] is False

    run(main)


def test_it_beats_each_time_while_nothing_is_said_and_not_where_something_was() -> None:
    async def main() -> None:
        caller = Caller()
        with Outlet(caller.send, 60) as outlet:
            for said in (False, False, True, False):
                if said:
                    await outlet.write(b"data: x\n\n")
                outlet._tick()
                await asyncio.sleep(0)
        assert caller.bodies == [HEARTBEAT, HEARTBEAT, b"data: x\n\n", HEARTBEAT]

    run(main)


def test_headers_that_are_known_in_time_are_sent() -> None:
    async def main() -> None:
        caller = Caller()
        with Outlet(caller.send, 60) as outlet:
            outlet.headers = [(b"x-early", b"1")]
            await outlet.finish(b"data: [DONE]\n\n")
        assert (b"x-early", b"1") in caller.messages[0]["headers"]

    run(main)


def test_a_caller_who_does_not_read_gets_no_pile_of_heartbeats() -> None:
    async def main() -> None:
        caller = Caller()
        ticks: list[int] = []
        with Outlet(caller.send, 0.005) as outlet:
            await outlet.write(b"data: x\n\n")
            caller.free.clear()
            ticker = asyncio.create_task(_tick(ticks))
            await until(lambda: caller.waiting == 1 and len(ticks) > 20)
            assert caller.waiting == 1
            ticker.cancel()

    run(main)


async def _tick(ticks: list[int]) -> None:
    while True:
        await asyncio.sleep(0.005)
        ticks.append(1)


def test_nothing_follows_the_end() -> None:
    async def main() -> None:
        caller = Caller()
        with Outlet(caller.send, 0.005) as outlet:
            await outlet.finish(b"data: [DONE]\n\n")
            sent, ticks = len(caller.messages), list[int]()
            ticker = asyncio.create_task(_tick(ticks))
            await until(lambda: len(ticks) > 5)
            ticker.cancel()
        assert len(caller.messages) == sent

    run(main)


class Pusher(Caller):
    """A caller whose server takes pieces without waiting, while `ready`."""

    def __init__(self) -> None:
        super().__init__()
        self.ready = True
        self.pushed: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        await self.send(message)

    def push(self, data: bytes) -> bool:
        if self.ready:
            self.pushed.append(data)
        return self.ready


def test_pieces_are_pushed_once_the_head_is_out_and_count_as_words() -> None:
    async def main() -> None:
        caller = Pusher()
        with Outlet(caller, 60) as outlet:
            stages = [outlet.takes_at_once]
            await outlet.write(b"data: x\n\n")
            stages.append(outlet.takes_at_once)
            outlet._tick()
            assert outlet.push(b"data: y\n\n")
            outlet._tick()  # something was said since the last one
            await asyncio.sleep(0)
            caller.ready = False
            assert not outlet.push(b"data: z\n\n")
        assert stages == [False, True]
        assert caller.bodies == [b"data: x\n\n"]
        assert caller.pushed == [b"data: y\n\n"]

    run(main)


def test_who_cannot_push_is_not_asked_to() -> None:
    async def main() -> None:
        caller = Caller()
        with Outlet(caller.send, 60) as outlet:
            await outlet.write(b"data: x\n\n")
            assert not outlet.takes_at_once

    run(main)
