"""The kb suite's report: figures against their limits, and the languages of an evaluation."""

import numpy as np
import pytest

from bench.kb_collection import pages, questions, sentences
from bench.kb_measure import Beside, Ingestion, Search
from bench.kb_precision import Precision, ndcg
from bench.kb_report import Measured, report
from bench.process import Memory
from services.cli.evaluate import Measured as Evaluated
from services.kb.evaluation import GoldenSet


def evaluated(recall: float, strangers: float) -> Evaluated:
    names = ("recall_at_1", "recall_at_3", "recall_at_10", "mrr_at_10", "ndcg_at_10")
    view = {
        "query_lang": "en",
        "document_lang": "en",
        "questions": 10,
        **dict.fromkeys(names, recall),
        "no_answer": [{"kept": 0.9, "threshold": 0.4, "strangers": strangers}],
    }
    return Evaluated("en → en", {"overall": view, "pairs": [view], "mode": "hybrid"})


def measured(
    evaluations: list[Evaluated],
    large_ms: float = 20.0,
    busy_ms: float = 20.0,
    float32: float = 0.97,
) -> Measured:
    memory = {name: Memory(10**8, 10**8) for name in ("kb", "embedder", "chroma")}
    seconds = {"kb": 0.8, "embedder": 2.0, "chroma": 3.0}
    seconds |= {"kb, the first time": 1.3, "embedder, the first time": 4.0}
    return Measured(
        seconds=seconds,
        memory={"after the start": memory},
        rounds=[Ingestion(100, 10.0, 20.0, [8.0], [12.0], [30.0], dict.fromkeys(memory, 1.0))],
        beside=Beside([10.0], [busy_ms]),
        precision=[Precision("en", 0.968, float32, 0.999)],
        searches=[
            Search(10_000, [5.0], [8.0], [2.0], [3.0], 0.99),
            Search(100_000, [large_ms], [8.0], [9.0], [5.0], 0.99),
        ],
        evaluations=evaluations,
    )


@pytest.mark.parametrize(
    ("recall", "strangers", "large_ms", "reached"),
    [
        (0.98, 0.2, 20.0, True),
        (0.90, 0.2, 20.0, False),
        (0.98, 0.5, 20.0, False),
        (0.98, 0.2, 26.0, False),
    ],
)
def test_every_limit_counts(
    recall: float, strangers: float, large_ms: float, reached: bool
) -> None:
    result = report(measured([evaluated(recall, strangers)], large_ms), ["golden.json"])
    assert result.reached is reached
    marks = [cell for table in result.tables for row in table.rows for cell in row]
    assert ("✗" in marks) is not reached


@pytest.mark.parametrize("over", [{"busy_ms": 51.0}, {"float32": 0.974}])
def test_so_do_searches_beside_an_ingestion_and_what_8_bits_cost(over: dict[str, float]) -> None:
    assert not report(measured([evaluated(0.98, 0.2)], **over), ["golden.json"]).reached


def test_ndcg_is_that_of_the_one_right_paragraph() -> None:
    passages = np.eye(3, dtype=np.float32)
    queries = np.array([[1, 0, 0], [0.9, 0.1, 0.2]], np.float32)
    squad = GoldenSet(paragraphs=["a", "b", "c"], questions=[("x", 0), ("y", 1)])
    assert ndcg(passages, queries, squad) == pytest.approx((1 + 1 / np.log2(4)) / 2)


def test_quality_is_left_out_where_it_was_not_measured() -> None:
    result = report(measured([]), [])
    assert result.reached
    assert "Quality" not in [table.heading for table in result.tables]


def test_the_collections_are_made_of_the_guide() -> None:
    assert {source.partition("/")[0] for source in pages()} == {"en", "zh"}
    assert len(questions()) > 100
    assert all(len(found) > 100 for found in sentences().values())
