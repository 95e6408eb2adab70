"""What analytics tells, as the pages' tests play it: a month of a small site."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from tests.web.upstream import Upstream

STATISTICS = "/api/analytics/statistics"
UNANSWERED = "/api/analytics/unanswered"
INTENTS = "/api/analytics/intent-distribution"
TREND = "/api/analytics/query-trend"
CLEANUP = "/api/analytics/cleanup"
FIRST = date(2026, 1, 1)
DAYS = 30


def _period(day: int) -> dict[str, Any]:
    asked = 20 + (day * 7) % 12 + (14 if day % 7 < 5 else 0)
    return {
        "label": (FIRST + timedelta(days=day)).isoformat(),
        "questions": asked,
        "sessions": asked // 2,
        "searches": asked * 2 + 3,
        "zero_hits": day % 4,
        "low_scores": day % 3,
        "input_tokens": asked * 900,
        "output_tokens": asked * 120,
        "cost_usd": asked / 1000,
        "errors": 3 if day in (11, 12) else day % 2,
        "thumbs_up": asked // 6,
        "thumbs_down": 1 if day % 5 == 0 else 0,
        "fallbacks": day % 3,
        "cache_hits": 0,
    }


SERIES = [_period(day) for day in range(DAYS)]


def _sum(name: str) -> Any:
    return round(sum(period[name] for period in SERIES), 4)


def times(p50: float, p95: float, p99: float) -> dict[str, float]:
    return {"p50": p50, "p95": p95, "p99": p99}


def model(provider: str, name: str | None, questions: int, **more: Any) -> dict[str, Any]:
    return {
        "provider": provider,
        "model": name,
        "questions": questions,
        "errors": 0,
        "input_tokens": questions * 900,
        "output_tokens": questions * 120,
        "cost_usd": 0.0,
        "fallbacks": 0,
        "cache_hits": 0,
        "error_types": {},
        "end_reasons": {"complete": questions},
        "duration_seconds": times(2.4, 8.1, 12.0),
        "first_token_seconds": times(0.42, 1.9, 3.0),
        **more,
    }


_FAILED = {"timeout_error": 9, "rate_limit_error": 4, "proxy_error": 2}
_TURBO = model(
    "doubao",
    "doubao-1-5-thinking-vision-pro-250428",
    702,
    errors=15,
    error_types=_FAILED,
    cost_usd=0.9128,
    cache_hits=31,
    end_reasons={
        "complete": 660,
        "client_disconnect": 24,
        "refused": 11,
        "error": 4,
        "truncated": 3,
    },
)
_LITE = model("doubao", "doubao-1-5-lite-32k-250115", 148, cost_usd=0.0312, fallbacks=19)
_LOCAL = model(
    "local",
    "smollm2-135m",
    99,
    embeddings=640,
    fallbacks=11,
    duration_seconds=times(6.2, 14.5, 21.0),
    first_token_seconds=times(0.9, 2.4, 4.1),
    end_reasons={"complete": 92, "truncated": 7},
)
_DOUBAO = model("doubao", None, 850, errors=15, cost_usd=0.944, fallbacks=19, cache_hits=31)

REPORT: dict[str, Any] = {
    **{f"total_{name}": _sum(name) for name in SERIES[0] if name != "label"},
    "total_tokens": _sum("input_tokens") + _sum("output_tokens"),
    "start": "2025-12-31T16:00:00Z",
    "end": "2026-01-30T16:00:00Z",
    "first_token_seconds": times(0.48, 2.1, 3.4),
    "duration_seconds": times(2.9, 9.0, 14.2),
    "errors": _FAILED,
    "series": SERIES,
    "by_provider": [_DOUBAO, model("local", None, 99)],
    "by_model": [_TURBO, _LITE, _LOCAL],
    "top_queries": [
        {"text": "How do I back up Trivet?", "count": 61, "zero_hits": 0},
        {"text": "可以寄到挪威吗？", "count": 38, "zero_hits": 31},
        {"text": "Which ports does Trivet use?", "count": 24, "zero_hits": 0},
        {"text": "如何接入豆包？", "count": 22, "zero_hits": 0},
        {
            "text": "Is there a way to show the chat on two sites with different colours?",
            "count": 9,
            "zero_hits": 2,
        },
        {"text": "发票怎么开", "count": 7, "zero_hits": 7},
    ],
    "top_queries_missed_at_most": 0,
}
QUIET: dict[str, Any] = {
    "total_questions": 0,
    "total_searches": 0,
    "start": REPORT["start"],
    "end": REPORT["end"],
}
MISSED: dict[str, Any] = {
    "questions": [
        {
            "text": "可以寄到挪威吗？",
            "count": 31,
            "last_asked": "2026-01-30T09:12:00Z",
            "gap_id": 4,
            "gap_state": "open",
        },
        {
            "text": "发票怎么开",
            "count": 7,
            "last_asked": "2026-01-29T02:40:00Z",
            "gap_id": 9,
            "gap_state": "answered",
        },
        {
            "text": "Do you have a branch in Lisbon?",
            "count": 2,
            "last_asked": "2026-01-30T14:01:00Z",
            "gap_id": None,
            "gap_state": None,
        },
    ]
}
_SUBJECTS = {
    "setup": 402,
    "how_to": 271,
    "price": 118,
    "trouble": 74,
    "spare_parts": 31,
    "other": 53,
}
SUBJECTS: dict[str, Any] = {
    "total": sum(_SUBJECTS.values()),
    "intents": [
        {"intent": name, "count": count, "share": round(count / sum(_SUBJECTS.values()), 6)}
        for name, count in _SUBJECTS.items()
    ],
}
SUBJECTS_OVER_TIME: dict[str, Any] = {
    "series": [
        {
            "label": period["label"],
            "intents": {
                name: (count + place * 13) % (count // 8 + 3) for name, count in _SUBJECTS.items()
            },
        }
        for place, period in enumerate(SERIES)
    ]
}
_COUNTS = {
    "total": 48210,
    "chat": 12040,
    "search": 35001,
    "feedback": 902,
    "workflow": 12,
    "error": 255,
}
_NONE = dict.fromkeys(_COUNTS, 0)
_KEPT = {
    "total_questions": 96200,
    "total_searches": 280117,
    "total_tokens": 91204110,
    "total_cost_usd": 88.4,
}


def cleaned(body: dict[str, Any]) -> dict[str, Any]:
    """A cleanup's answer; nothing is older than a year."""
    counts = _COUNTS if body["older_than_days"] <= 365 else _NONE
    dry = body["dry_run"]
    return {
        "dry_run": dry,
        "older_than_days": body["older_than_days"],
        "cutoff": "2025-08-01T12:00:00Z",
        "would_delete": counts,
        "deleted": _NONE if dry else counts,
        "totals_kept": _KEPT,
        "also_deleted": ["queries"],
        "freed_bytes": 0 if dry else 24_600_000,
        "size_bytes": 100_000_000,
    }


def record(number: int, **more: Any) -> dict[str, Any]:
    """A record as the live view gets it."""
    return {
        "id": f"record-{number}",
        "kind": "chat",
        "time": f"2026-01-30T12:{number // 60 % 60:02}:{number % 60:02}Z",
        "service": "llm_proxy",
        "provider": "local",
        "model": "smollm2-135m",
        "status": 200,
        "error_type": None,
        "duration_seconds": 2.4,
        "first_token_seconds": 0.4,
        "total_found": None,
        "rating": None,
        "session_id": "s-1",
        "text": f"Question {number}",
        **more,
    }


def stock(upstream: Upstream) -> None:
    """Gives all answers to the played services."""
    upstream.answers |= {
        STATISTICS: (200, REPORT),
        UNANSWERED: (200, MISSED),
        INTENTS: (200, SUBJECTS),
        TREND: (200, SUBJECTS_OVER_TIME),
        f"POST {CLEANUP}": (200, cleaned),
    }


GAPS = "/api/analytics/gaps"
KEYS = "/api/llm/keys"
TASKS = "/api/v1/workflow/tasks"
JOBS = "/api/jobs"
TODAY: dict[str, Any] = {
    **REPORT,
    "total_questions": 131,
    "total_sessions": 61,
    "total_searches": 262,
    "total_zero_hits": 4,
    "total_errors": 3,
    "total_input_tokens": 117_900,
    "total_output_tokens": 15_720,
    "total_cost_usd": 0.1312,
    "series": [
        {"label": f"2026-01-30T{hour:02}:00+08:00", "questions": max(0, 14 - abs(hour - 14) * 2)}
        for hour in range(24)
    ],
}
GAP = {"id": 4, "state": "open", "kind": "missing", "question": "可以寄到挪威吗？", "asked": 31}


def key(number: int, **more: Any) -> dict[str, Any]:
    """A virtual key as it is listed."""
    return {
        "id": f"key-{number}",
        "kind": "application",
        "name": f"Key {number}",
        "daily_budget_usd": None,
        "monthly_budget_usd": None,
        "spent_today_usd": 0.0,
        "spent_this_month_usd": 0.0,
        "expires_at": None,
        "revoked_at": None,
        **more,
    }


def trouble(upstream: Upstream, now: datetime) -> None:
    """A day on which much needs attention. `now`: what is told as failed lately has just failed."""
    lately = now.isoformat()
    failed = {"task_id": "run-7", "status": "failed", "updated_at": lately}
    job = {"id": "job-3", "state": "done", "files_failed": 2, "updated_at": lately}
    budgets = [
        key(1, name="Shop", daily_budget_usd=10.0, spent_today_usd=9.2),
        key(2, name="Reports", monthly_budget_usd=50.0, spent_this_month_usd=50.4),
        key(3, name="Calm", daily_budget_usd=10.0, spent_today_usd=1.0),
    ]
    broken = {
        "name": "doubao",
        "configured": True,
        "reachable": False,
        "last_error": "the provider answered 401",
        "models": ["doubao-1-5-thinking-vision-pro-250428"],
        "deployments": [],
    }
    upstream.answers |= {
        STATISTICS: (200, TODAY),
        GAPS: (200, {"items": [GAP], "total": 12, "next_cursor": "1"}),
        KEYS: (200, {"items": budgets, "next_cursor": None}),
        TASKS: (200, {"items": [failed], "next_cursor": None}),
        JOBS: (200, {"items": [job], "next_cursor": None}),
        "/api/llm/providers": (200, {"items": [broken], "next_cursor": None}),
    }
