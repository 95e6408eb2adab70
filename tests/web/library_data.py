"""What kb and analytics say in the tests of the console's Knowledge and Gaps pages."""

from __future__ import annotations

from typing import Any

from tests.web.upstream import Upstream

DOCUMENT_ID = "3f1c9b7a"
_MODEL = "paraphrase-multilingual-MiniLM-L12-v2"


def collection(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "open": name == "site",
        "documents": 24,
        "chunks": 312,
        "pending": 0,
        "embedding_model": _MODEL,
        "model": None,
        "state": "ready",
        "created_at": "2026-03-01T08:00:00Z",
        **fields,
    }


def document(number: int, source: str, title: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"{DOCUMENT_ID}{number}",
        "source": source,
        "title": title,
        "url": f"https://docs.example.com/{source.removesuffix('.md')}",
        "lang": "zh" if "/zh/" in source else "en",
        "media_type": "text/markdown",
        "content_hash": "0" * 64,
        "size_bytes": 4120 + 733 * number,
        "metadata": {},
        "up_to_date": number != 3,
        "created_at": "2026-03-01T08:00:00Z",
        "updated_at": "2026-03-02T09:30:00Z",
        **fields,
    }


DOCUMENTS = [
    document(0, "guide/en/analytics.md", "Analytics and gaps"),
    document(1, "guide/en/backup.md", "Back up and restore"),
    document(2, "guide/en/install.md", "Install Trivet"),
    document(3, "guide/zh/backup.md", "备份与恢复"),
    document(4, "guide/zh/install.md", "安装 Trivet"),
]


def chunk(position: int, path: list[str], anchor: str, content: str) -> dict[str, Any]:
    return {
        "id": str(400 + position),
        "position": position,
        "heading_path": path,
        "anchor": anchor,
        "lang": "en",
        "tokens": len(content) // 4,
        "content": content,
        "indexed": position != 2,
    }


CHUNKS = [
    chunk(
        0,
        ["Back up and restore"],
        "back-up-and-restore",
        "Everything that cannot be made again lies in one folder, data/. Back it up every day, and "
        "try a restore before you need one.",
    ),
    chunk(
        1,
        ["Back up and restore", "How do I back up Trivet?"],
        "how-do-i-back-up-trivet",
        "Stop Trivet, copy the folder, start it again:\n\nmake stop\ncp -a data /backup\nmake run",
    ),
    chunk(
        2,
        ["Back up and restore", "What belongs in a backup?"],
        "what-belongs-in-a-backup",
        "data/ with its databases, tokens and the outbox; .env with your keys. The search index is "
        "made anew from the database when it is missing.",
    ),
]


def job(state: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": "job-1",
        "kind": "ingest",
        "collection": "site",
        "state": state,
        "error": None,
        "progress": 100 if state == "done" else 42,
        "files_total": 3,
        "files_done": 3 if state == "done" else 2,
        "files_failed": 0,
        "chunks_total": 96,
        "chunks_done": 96 if state == "done" else 31,
        "files": [],
        "created_at": "2026-03-02T09:30:00Z",
        "updated_at": "2026-03-02T09:30:09Z",
        **fields,
    }


def job_file(source: str, error: str | None = None) -> dict[str, Any]:
    state = "failed" if error else "stored"
    return {
        "source": source,
        "state": state,
        "error": error,
        "document_id": None if error else f"{DOCUMENT_ID}1",
    }


HALF_DONE = job(
    "done",
    files_failed=1,
    files=[
        job_file("manual.md"),
        job_file("prices.csv"),
        job_file("scan.pdf", "The PDF holds no text: it may be a scan."),
    ],
)


def hit(number: int, title: str, source: str, snippet: str, **scores: Any) -> dict[str, Any]:
    word = snippet.lower().find("back")
    return {
        "id": str(400 + number),
        "type": "document",
        "title": title,
        "content": snippet,
        "snippet": snippet,
        "highlights": [[word, word + 4]] if word >= 0 else [],
        "url": None,
        "source": source,
        "relevance_score": scores.get("relevance", 0.4),
        "score_dense": scores.get("dense"),
        "score_lexical": scores.get("lexical"),
        "metadata": {"document_id": f"{DOCUMENT_ID}1", "position": number},
        "neighbours": [],
    }


_HOW = hit(
    1,
    "Back up and restore › How do I back up Trivet?",
    "guide/en/backup.md#how-do-i-back-up-trivet",
    "Stop Trivet, copy the folder data/ to /backup, start it again.",
    relevance=0.91,
    dense=0.78,
    lexical=9.31,
)
_WHAT = hit(
    2,
    "Back up and restore › What belongs in a backup?",
    "guide/en/backup.md#what-belongs-in-a-backup",
    "The folder data/ with its databases, tokens and the outbox; .env with your keys.",
    relevance=0.62,
    dense=0.69,
)
_MOVE = hit(
    7,
    "Operations › Moving to another machine",
    "guide/en/operations.md#moving-to-another-machine",
    "Bring the backup along and unpack it before the first start.",
    relevance=0.37,
    lexical=4.02,
)
_BY_MODE = {"hybrid": [_HOW, _WHAT, _MOVE], "dense": [_WHAT, _HOW], "lexical": [_HOW, _MOVE]}


def searched(body: Any) -> dict[str, Any]:
    """The answer to `POST /api/search`."""
    results = _BY_MODE[body["mode"]] if "back" in body["q"] else []
    return {
        "success": True,
        "query": body["q"],
        "results": results,
        "total_found": len(results),
        "took_ms": 12.4,
        "embedding_ms": 6.0,
        "mode": body["mode"],
        "degraded": [],
    }


def measures(recall: float, query: str = "", document_: str = "") -> dict[str, Any]:
    return {
        "query_lang": query,
        "document_lang": document_,
        "questions": 40,
        "recall_at_1": recall - 0.1,
        "recall_at_3": recall,
        "recall_at_10": min(1.0, recall + 0.08),
        "mrr_at_10": recall - 0.04,
        "ndcg_at_10": recall - 0.02,
        "no_answer": [],
    }


def evaluation(run_id: str, day: int, recall: float, question_set: str = "a1") -> dict[str, Any]:
    return {
        "id": run_id,
        "created_at": f"2026-03-0{day}T10:00:00Z",
        "collection": "site",
        "mode": "hybrid",
        "embedding_model": _MODEL,
        "question_set": question_set,
        "overall": measures(recall),
        "pairs": [measures(recall + 0.02, "en", "en"), measures(recall - 0.05, "zh", "en")],
    }


def gap(number: int, question: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "state": "open",
        "kind": "missing",
        "question": question,
        "collection": "site",
        "asked": 9 - number,
        "zero_hits": 7 - number,
        "low_scores": 0,
        "thumbs_down": 0,
        "refused": 0,
        "last_asked": "2026-03-04T16:20:00Z",
        "pressure": 9.0 - number,
        "questions": [{"text": question, "asked": 6, "zero_hits": 5}],
        "answered_at": None,
        "source": None,
        "replay": [],
        **fields,
    }


GAPS = [
    gap(
        1,
        "Do you ship to Norway?",
        questions=[
            {"text": "Do you ship to Norway?", "asked": 6},
            {"text": "shipping norway how long", "asked": 2},
            {"text": "可以寄到挪威吗？", "asked": 1},
        ],
    ),
    gap(2, "退货需要谁付运费？", kind="weak", zero_hits=0, low_scores=5),
    gap(3, "How do I reach a person?", kind="unhelpful", zero_hits=0, thumbs_down=4),
]


def side(found: int, score: float | None, rank: int | None) -> dict[str, Any]:
    return {"found": found, "top_score": score, "rank": rank}


ANSWERED = {
    **GAPS[0],
    "state": "answered",
    "answered_at": "2026-03-05T09:00:00Z",
    "source": "answers/gap-1.md",
    "replay": [
        {
            "question": "Do you ship to Norway?",
            "before": side(0, None, None),
            "after": side(5, 0.93, 1),
        },
        {
            "question": "shipping norway how long",
            "before": side(3, 0.21, None),
            "after": side(5, 0.71, 1),
        },
        {
            "question": "可以寄到挪威吗？",
            "before": side(2, 0.18, None),
            "after": side(5, 0.2, None),
        },
    ],
}


def stock(upstream: Upstream) -> None:
    """A knowledge base with something of everything in it."""
    upstream.answers |= {
        "/api/collections": (
            200,
            {
                "items": [
                    collection("site"),
                    collection("poems", documents=62, chunks=180, open=False),
                    collection("manuals", pending=14, state="indexing", open=False),
                    collection("old", state="model_changed", open=False, embedding_model="m-1"),
                ],
                "next_cursor": None,
                "embedder": None,
            },
        ),
        "/api/documents": (200, {"items": DOCUMENTS, "next_cursor": "guide/zh/install.md"}),
        f"/api/documents/{DOCUMENT_ID}1": (
            200,
            {**DOCUMENTS[1], "collection": "site", "chunks": 3, "content": ""},
        ),
        f"/api/documents/{DOCUMENT_ID}1/chunks": (200, {"items": CHUNKS, "next_cursor": None}),
        "/api/jobs": (200, {"items": [job("done", id="job-0")], "next_cursor": None}),
        "/api/evaluate": (
            200,
            {
                "items": [
                    evaluation("r3", 5, 0.88),
                    evaluation("r2", 4, 0.81),
                    evaluation("r1", 3, 0.84, "b2"),
                ],
                "next_cursor": None,
            },
        ),
        "POST /api/search": (200, searched),
        "/api/analytics/gaps": (200, {"items": GAPS, "next_cursor": None, "unclustered": 2}),
    }
