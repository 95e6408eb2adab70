"""What analytics and kb say in the tests of the console's Conversations page."""

from __future__ import annotations

from typing import Any

from tests.web.upstream import Upstream

LIST = "/api/analytics/conversations"
ONE = "/api/analytics/conversation"
PASSAGES = "/api/passages"
VISITOR = "5f3c0a9b7d1e4f2a5f3c0a9b"


def conversation(identifier: str, question: str | None, **fields: Any) -> dict[str, Any]:
    return {
        "id": identifier,
        "started": "2026-03-02T09:30:00Z",
        "last": "2026-03-02T09:41:00Z",
        "questions": 1,
        "question": question,
        "matching": question,
        "visitor_id": VISITOR,
        "assistants": ["site"],
        "models": ["doubao/doubao-1-5-pro"],
        "end_reasons": {"complete": 1},
        "errors": 0,
        "input_tokens": 1210,
        "output_tokens": 240,
        "cost_usd": 0.0041,
        "thumbs_up": 0,
        "thumbs_down": 0,
        **fields,
    }


CONVERSATIONS = [
    conversation(
        "8b0c9d6e-visit",
        "How do I back up Trivet, and what happens to questions that are asked meanwhile?",
        matching="And how do I restore it?",
        questions=3,
        end_reasons={"complete": 2, "error": 1},
        errors=1,
        thumbs_up=1,
        thumbs_down=1,
    ),
    conversation(
        "s-2",
        "可以寄到挪威吗？",
        end_reasons={"refused": 1},
        input_tokens=0,
        output_tokens=0,
        cost_usd=0.0,
        models=[],
    ),
    conversation("s-3", None, assistants=[], models=["local/smollm2-135m"], cost_usd=0.0),
    conversation("s-4", "What does it cost?", end_reasons={"client_disconnect": 1}, thumbs_up=1),
]


def page_of(*items: Any, cursor: str | None = None) -> dict[str, Any]:
    return {
        "items": list(items),
        "next_cursor": cursor,
        "known_assistants": ["shop", "site"],
        "known_end_reasons": ["client_disconnect", "complete", "error", "refused"],
    }


def turn(number: int, question: str | None, **fields: Any) -> dict[str, Any]:
    return {
        "request_id": f"0198f3a2b4c57d8e9f00112233445{number:03}",
        "time": f"2026-03-02T09:3{number}:00Z",
        "question": question,
        "answer": None,
        "assistant": "site",
        "provider": "doubao",
        "model": "doubao-1-5-pro",
        "fallback_from": None,
        "attempts": 1,
        "status": 200,
        "error_type": None,
        "end_reason": "complete",
        "finish_reason": "stop",
        "stream": True,
        "first_token_seconds": 0.412,
        "duration_seconds": 2.64,
        "input_tokens": 812,
        "output_tokens": 164,
        "usage_source": "exact",
        "cost_usd": 0.0021,
        "citations": ["401", "402"],
        "searches": [
            {
                "query": "How do I back up Trivet?",
                "collection": "site",
                "mode": "hybrid",
                "total_found": 4,
                "top_score": 0.91,
            }
        ],
        "rating": None,
        "comment": None,
        **fields,
    }


ANSWER = (
    "Stop Trivet, copy the folder and start it again [1]:\n\n"
    "```sh\nmake stop\ncp -a data /backup\nmake run\n```\n\n"
    "Everything lies in `data/` [2]; questions that come meanwhile are **not lost**."
)
TURNS = [
    turn(0, "How do I back up Trivet?", answer=ANSWER, rating="up"),
    turn(
        1,
        "And how do I restore it?",
        answer="Copy it back.",
        rating="down",
        comment="Which user must own the files?",
        fallback_from="doubao",
        provider="local",
        model="smollm2-135m",
        attempts=3,
        usage_source="estimated",
        cost_usd=None,
        citations=["401", "999"],
        searches=[],
    ),
    turn(
        2,
        "可以寄到挪威吗？",
        end_reason="error",
        status=504,
        error_type="timeout_error",
        first_token_seconds=None,
        duration_seconds=120.0,
        input_tokens=None,
        output_tokens=None,
        cost_usd=None,
        citations=[],
    ),
]


def whole(*turns: Any, **fields: Any) -> dict[str, Any]:
    return {
        "id": "8b0c9d6e-visit",
        "started": "2026-03-02T09:30:00Z",
        "last": "2026-03-02T09:41:00Z",
        "visitor_id": VISITOR,
        "turns": list(turns),
        "earlier_turns": 0,
        "stores_questions": True,
        "stores_answers": True,
        **fields,
    }


def passage(identifier: str, position: int, *path: str) -> dict[str, Any]:
    return {
        "id": identifier,
        "document_id": "3f1c9b7a1",
        "position": position,
        "collection": "site",
        "title": path[0],
        "heading_path": list(path),
        "source": "guide/en/backup.md",
        "url": None,
        "anchor": "backup",
        "lang": "en",
        "content": "Stop Trivet, copy the folder.",
    }


def stock(upstream: Upstream) -> None:
    """Fills the played services."""
    upstream.answers |= {
        LIST: (200, page_of(*CONVERSATIONS, cursor="17")),
        ONE: (200, whole(*TURNS)),
        PASSAGES: (
            200,
            {
                "items": [
                    passage("401", 1, "Back up and restore", "How do I back up Trivet?"),
                    passage("402", 2, "Back up and restore", "What belongs in a backup?"),
                ],
                "next_cursor": None,
            },
        ),
    }
