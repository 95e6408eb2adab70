"""The queue before the model: queries first, bounded, and nothing done for those who left."""

import asyncio
import threading
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from services.kb.embedder.model import Encoded, Encoder, InputType, ModelCard
from services.kb.embedder.scheduler import BatchScheduler
from services.kernel.errors import InternalError, Overloaded
from tests.support.wait import until

CARD = ModelCard("test", "0" * 64, 1, 8, "", "")


class GatedEncoder:
    """Notes the batches; each waits until the gate is open."""

    passage_threads = 0

    def __init__(self) -> None:
        self.card = CARD
        self.gate = threading.Event()
        self.rested = False
        self.batches: list[tuple[InputType, list[str]]] = []

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def encode(self, texts: Sequence[str], input_type: InputType) -> Encoded:
        self.batches.append((input_type, list(texts)))
        assert self.gate.wait(10)
        if "bad" in texts:
            raise RuntimeError("canary")
        return Encoded(np.array([[float(len(text))] for text in texts], np.float32), len(texts))

    def rest(self) -> None:
        self.rested = True


def scheduled(load: Callable[[], Encoder], waiting: int = 100) -> BatchScheduler:
    scheduler = BatchScheduler(load, batch_texts=2, max_waiting_texts=waiting)
    scheduler.start()
    until(lambda: scheduler.state != "loading", 10)
    return scheduler


@pytest.fixture
def encoder() -> GatedEncoder:
    return GatedEncoder()


@pytest.mark.anyio
async def test_queries_pass_between_batches_of_passages(encoder: GatedEncoder) -> None:
    scheduler = scheduled(lambda: encoder)
    passages = asyncio.create_task(scheduler.encode(["aaa", "a", "aa", "aaaa"], "passage"))
    await asyncio.to_thread(until, lambda: encoder.batches)
    query = asyncio.create_task(scheduler.encode(["q"], "query"))
    await asyncio.sleep(0)
    encoder.gate.set()
    found = await passages
    await query
    # After a query the passages go singly: see below.
    assert [kind for kind, _ in encoder.batches] == ["passage", "query", "passage", "passage"]
    assert found.vectors[:, 0].tolist() == [3, 1, 2, 4], "results keep the order of the texts"
    assert encoder.batches[0][1] == ["a", "aa"], "texts of like length go together"
    scheduler.stop()


@pytest.mark.anyio
async def test_too_much_waiting_is_refused_for_its_kind_alone(encoder: GatedEncoder) -> None:
    scheduler = scheduled(lambda: encoder, waiting=2)
    running = asyncio.create_task(scheduler.encode(["a"], "passage"))
    await asyncio.to_thread(until, lambda: encoder.batches)
    waiting = asyncio.create_task(scheduler.encode(["b", "c"], "passage"))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded) as refused:
        await scheduler.encode(["d"], "passage")
    assert refused.value.headers["Retry-After"]
    query = asyncio.create_task(scheduler.encode(["q"], "query"))
    await asyncio.sleep(0)
    encoder.gate.set()
    await asyncio.gather(running, waiting, query)
    assert (await scheduler.encode(["d"], "passage")).tokens == 1
    scheduler.stop()


@pytest.mark.anyio
async def test_who_left_costs_nothing_more(encoder: GatedEncoder) -> None:
    scheduler = scheduled(lambda: encoder)
    running = asyncio.create_task(scheduler.encode(["a"], "passage"))
    await asyncio.to_thread(until, lambda: encoder.batches)
    gone = asyncio.create_task(scheduler.encode(["never"], "passage"))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    encoder.gate.set()
    await running
    await scheduler.encode(["b"], "passage")
    assert [texts for _, texts in encoder.batches] == [["a"], ["b"]]
    scheduler.stop()


@pytest.mark.anyio
async def test_a_batch_that_fails_fails_alone_and_keeps_its_secret(encoder: GatedEncoder) -> None:
    encoder.gate.set()
    scheduler = scheduled(lambda: encoder)
    with pytest.raises(InternalError) as failed:
        await scheduler.encode(["bad"], "query")
    assert "canary" not in failed.value.message
    assert (await scheduler.encode(["good"], "query")).tokens == 1
    scheduler.stop()


@pytest.mark.anyio
async def test_memory_is_given_back_when_nothing_waits(encoder: GatedEncoder) -> None:
    encoder.gate.set()
    scheduler = scheduled(lambda: encoder)
    assert encoder.rested is False
    await scheduler.encode(["a"], "query")
    await asyncio.to_thread(until, lambda: bool(encoder.rested))
    scheduler.stop()


@pytest.mark.anyio
async def test_a_model_that_cannot_be_loaded_is_said_to_have_failed() -> None:
    def load() -> Encoder:
        raise RuntimeError("canary")

    scheduler = scheduled(load)
    assert scheduler.state == "failed"
    with pytest.raises(Overloaded, match="failed"):
        await scheduler.encode(["a"], "query")
    scheduler.stop()


@pytest.mark.anyio
async def test_tokens_are_counted_in_order_however_long_the_texts_are(
    encoder: GatedEncoder,
) -> None:
    scheduler = scheduled(lambda: encoder)
    texts = ["one two three", "word " * 9000, "", "a b"]
    assert await scheduler.count(texts) == [3, 9000, 0, 2]
    scheduler.stop()


@pytest.mark.anyio
async def test_while_queries_come_they_wait_for_one_passage_and_not_for_a_batch(
    encoder: GatedEncoder,
) -> None:
    scheduler = scheduled(lambda: encoder)
    encoder.gate.set()
    await scheduler.encode(["first"], "query")
    encoder.gate.clear()
    passages = asyncio.create_task(scheduler.encode(["a", "bb"], "passage"))
    await asyncio.to_thread(until, lambda: len(encoder.batches) == 2)
    query = asyncio.create_task(scheduler.encode(["second"], "query"))
    await asyncio.sleep(0)
    encoder.gate.set()
    found = await passages
    await query
    kinds = [kind for kind, _ in encoder.batches]
    assert kinds == ["query", "passage", "query", "passage"]
    assert found.vectors[:, 0].tolist() == [1, 2]
    scheduler.stop()


class ThreadedEncoder(GatedEncoder):
    """Waits with passages alone."""

    passage_threads = 2

    def encode(self, texts: Sequence[str], input_type: InputType) -> Encoded:
        if input_type == "passage":
            return super().encode(texts, input_type)
        return Encoded(np.ones((len(texts), 1), np.float32), len(texts))


@pytest.mark.anyio
async def test_where_passages_have_threads_of_their_own_a_query_waits_for_none() -> None:
    encoder = ThreadedEncoder()
    scheduler = scheduled(lambda: encoder)
    passages = asyncio.create_task(scheduler.encode(["a", "bb", "ccc", "dddd"], "passage"))
    await asyncio.to_thread(until, lambda: len(encoder.batches) == 2)
    assert (await scheduler.encode(["query"], "query")).tokens == 1
    encoder.gate.set()
    assert (await passages).vectors[:, 0].tolist() == [1, 2, 3, 4]
    scheduler.stop()
