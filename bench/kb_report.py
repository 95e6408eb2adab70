"""The kb suite's figures as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from bench.figures import percentile, ratio
from bench.kb_measure import Beside, Ingestion, Search
from bench.kb_precision import Precision
from bench.process import Memory
from bench.report import Result, Table, figure, mark
from services.cli.evaluate import Measured as Evaluated

# (what, limit, whether more is better); a figure that was not measured is no failure.
LIMITS: Sequence[tuple[str, float, bool]] = (
    ("kb answers a search after its start, s", 1.0, False),
    ("the embedder is ready, s", 10.0, False),
    ("ingestion, × bare torch", 1.5, True),
    ("embedding a query, × torch", 0.4, False),
    ("a search while another collection is filled, p99, × idle", 5.0, False),
    ("a search over 10,000 passages without embedding, p50 ms", 15.0, False),
    ("recall@10 beside exact search, 10,000 passages", 0.98, True),
    ("a search over 100,000 passages, p50, × 10,000", 5.0, False),
    ("nDCG@10 of vectors alone below float32's, at most", 0.005, False),
)
# Recall@1 and nDCG@10 by languages of question and passages, hybrid.
QUALITY = {
    ("en", "en"): (0.945, 0.970),
    ("zh", "zh"): (0.920, 0.960),
    ("en", "zh"): (0.710, 0.840),
    ("zh", "en"): (0.680, 0.810),
    ("en", "en+zh"): (0.930, 0.0),
    ("zh", "en+zh"): (0.930, 0.0),
}
# The most that may answer of what has no answer, where 90 % of the answerable are answered.
STRANGERS = {("en", "en"): 0.30, ("zh", "zh"): 0.40}
KEPT = 0.9
PROCESSES = ("kb", "embedder", "chroma")
INTRODUCTION = """\
kb, its embedder and Chroma as processes of their own, on a folder of their own. *Ingestion* is the
sample library's guide, from files to passages that are found, beside bare sentence-transformers
(torch, float32, batches of 32) on the same passages in the same round; figures are medians of the
rounds. A query's embedding is taken over HTTP, as kb asks the embedder, and torch's in its own
process. *Searches* are hybrid and warm, top 10, one at a time: the server's own time, with the
query's vector known, and the time of embedding apart. Their collections hold real sentences, and
vectors that are real passages' own with some noise: to embed so many would take hours."""


@dataclass(frozen=True)
class Measured:
    """All that one run found."""

    seconds: Mapping[str, float]
    memory: Mapping[str, Mapping[str, Memory]]
    rounds: Sequence[Ingestion]
    beside: Beside
    precision: Sequence[Precision]
    searches: Sequence[Search]
    evaluations: Sequence[Evaluated]


def report(measured: Measured, golden: Sequence[str]) -> Result:
    targets, reached = _targets(measured)
    tables = [targets, _searches(measured), _beside(measured.beside), _ingestion(measured)]
    tables.append(_memory(measured))
    if measured.evaluations:
        quality, good = _quality(measured, golden)
        tables += [quality, _precision(measured.precision), _curve(measured)]
        reached = reached and good
    return Result(
        "kb", "The knowledge base", INTRODUCTION, tables, raw=_raw(measured), reached=reached
    )


def _values(measured: Measured) -> list[float | None]:
    rounds, searches = measured.rounds, {item.chunks: item for item in measured.searches}
    small, large = searches.get(10_000), searches.get(100_000)
    small_ms = median(small.server_ms) if small else None
    return [
        measured.seconds["kb"],
        measured.seconds["embedder"],
        median(item.torch_seconds / item.kb_seconds for item in rounds),
        median(median(item.embedder_query_ms) / median(item.torch_query_ms) for item in rounds),
        ratio(
            percentile(measured.beside.ingesting_ms, 0.99),
            percentile(measured.beside.idle_ms, 0.99),
        ),
        small_ms,
        small.recall_at_10 if small else None,
        median(large.server_ms) / small_ms if large and small_ms else None,
        max((i.float32_ndcg - i.served_ndcg for i in measured.precision), default=None),
    ]


def _targets(measured: Measured) -> tuple[Table, bool]:
    rows, reached = [], True
    for (what, limit, more), value in zip(LIMITS, _values(measured), strict=True):
        holds = None if value is None else (value >= limit if more else value <= limit)
        reached = reached and holds is not False
        rows.append([what, f"{'≥' if more else '≤'} {limit:g}", figure(value), mark(holds)])
    return Table("What must be reached", ["", "must be", "is", ""], rows), reached


def _searches(measured: Measured) -> Table:
    columns = ["passages", "hybrid p50 ms", "p95 ms", "words p50 ms", "vectors p50 ms"]
    columns += ["embedding p50 ms", "recall@10"]
    rows = [
        [
            f"{item.chunks:,}",
            figure(median(item.server_ms)),
            figure(percentile(item.server_ms, 0.95)),
            figure(median(item.lexical_ms)),
            figure(median(item.dense_ms)),
            figure(median(item.embedding_ms)),
            f"{item.recall_at_10:.3f}",
        ]
        for item in measured.searches
    ]
    note = "Embedding, which the other columns leave out, is paid once a query while it is cached."
    return Table("A search", columns, rows, note)


def _beside(beside: Beside) -> Table:
    columns = ["", "searches", "p50 ms", "p95 ms", "p99 ms"]
    rows = [
        [
            name,
            str(len(times)),
            *(figure(percentile(times, share)) for share in (0.5, 0.95, 0.99)),
        ]
        for name, times in (("idle", beside.idle_ms), ("ingesting", beside.ingesting_ms))
    ]
    note = "Over HTTP, each with a new query, embedding included; another collection is filled."
    return Table("A search beside an ingestion", columns, rows, note)


def _precision(found: Sequence[Precision]) -> Table:
    columns = ["questions and passages", "nDCG@10, served", "nDCG@10, float32", "mean cosine"]
    rows = [
        [i.language, f"{i.served_ndcg:.4f}", f"{i.float32_ndcg:.4f}", f"{i.cosine:.4f}"]
        for i in found
    ]
    note = "Vectors alone, by exact search; float32 is sentence-transformers with torch."
    return Table("What 8 bits cost", columns, rows, note)


def _ingestion(measured: Measured) -> Table:
    columns = ["round", "passages", "kb, passages/s", "torch, passages/s", "ratio"]
    columns += ["query, embedder p50 ms", "query, in a search p50 ms", "query, torch p50 ms"]
    columns += ["CPU s: kb", "embedder", "chroma"]
    rows = [
        [
            str(number),
            str(item.passages),
            figure(item.passages / item.kb_seconds),
            figure(item.passages / item.torch_seconds),
            figure(item.torch_seconds / item.kb_seconds),
            figure(median(item.embedder_query_ms)),
            figure(median(item.kb_query_ms)),
            figure(median(item.torch_query_ms)),
            *(figure(item.cpu_seconds[name]) for name in PROCESSES),
        ]
        for number, item in enumerate(measured.rounds, 1)
    ]
    note = "The embedder's and kb's times are taken over HTTP."
    return Table("Ingestion and embedding", columns, rows, note)


def _memory(measured: Measured) -> Table:
    rows = [
        [when, *(figure(found[name].rss_bytes / 1e6) for name in PROCESSES)]
        for when, found in measured.memory.items()
    ]
    rows += [["start, s", *(figure(measured.seconds[name]) for name in PROCESSES)]]
    first = {name: figure(measured.seconds[f"{name}, the first time"]) for name in PROCESSES[:2]}
    note = (
        "Starts of kb and the embedder are medians. The very first ones, which make kb's database "
        f"and the embedder's files, took {first['kb']} and {first['embedder']} s."
    )
    return Table("Memory (RSS), MB, and time to start", ["", *PROCESSES], rows, note)


def _quality(measured: Measured, golden: Sequence[str]) -> tuple[Table, bool]:
    columns = ["questions → passages", "R@1", "R@3", "R@10", "MRR@10", "nDCG@10", "must be", ""]
    columns += [f"answered of what has no answer, at {KEPT:.0%}", "must be", ""]
    rows, reached = [], True
    for item in measured.evaluations:
        view = item.answer["overall"]
        pair = languages(item)
        least, strangers = QUALITY.get(pair), STRANGERS.get(pair)
        names = ("recall_at_1", "recall_at_3", "recall_at_10", "mrr_at_10", "ndcg_at_10")
        at_kept = next(point["strangers"] for point in view["no_answer"] if point["kept"] == KEPT)
        good = (
            None
            if least is None
            else (view["recall_at_1"] >= least[0] and view["ndcg_at_10"] >= least[1])
        )
        calm = None if strangers is None else at_kept <= strangers
        reached = reached and good is not False and calm is not False
        rows.append(
            [
                " → ".join(pair),
                *(f"{view[name]:.3f}" for name in names),
                "–" if least is None else f"≥ {least[0]:g} / {least[1]:g}",
                mark(good),
                f"{at_kept:.2f}",
                "–" if strangers is None else f"≤ {strangers:g}",
                mark(calm),
            ]
        )
    files = ", ".join(Path(name).name for name in golden)
    note = (
        f"Of {files}, hybrid, through the running service: `python -m bench --only kb --golden …`."
    )
    return Table("Quality", columns, rows, note), reached


def languages(item: Evaluated) -> tuple[str, str]:
    """The languages of an evaluation: most questions' own, and the documents'."""
    most = max(item.answer["pairs"], key=lambda pair: pair["questions"])
    return most["query_lang"], most["document_lang"]


def _curve(measured: Measured) -> Table:
    first = measured.evaluations[0].answer["overall"]["no_answer"]
    columns = ["questions → passages", *(f"{point['kept']:.0%}" for point in first)]
    rows = []
    for item in measured.evaluations:
        points = item.answer["overall"]["no_answer"]
        cells = [f"{point['strangers']:.2f} at {point['threshold']:.2f}" for point in points]
        rows.append([" → ".join(languages(item)), *cells])
    note = (
        "By the share of the answerable questions that are answered: the share of those whose "
        "passage was left out that get an answer all the same, and the `min_score`."
    )
    return Table("The no-answer curve", columns, rows, note)


def _raw(measured: Measured) -> dict[str, object]:
    return {
        "seconds": dict(measured.seconds),
        "memory": {
            when: {name: asdict(item) for name, item in found.items()}
            for when, found in measured.memory.items()
        },
        "rounds": [asdict(item) for item in measured.rounds],
        "beside": asdict(measured.beside),
        "precision": [asdict(item) for item in measured.precision],
        "searches": [asdict(item) for item in measured.searches],
        "evaluations": [asdict(item) for item in measured.evaluations],
    }
