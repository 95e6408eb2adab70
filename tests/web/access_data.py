"""What llm_proxy says of keys and providers in the tests of the console's Access page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.web.upstream import Upstream

SECRET = "sk_test-not-a-key-but-as-long-as-one-0123456789"
KEYS_PATH = "/api/llm/keys"


def later(**times: float) -> str:
    """A time from now, as the services write times."""
    return (datetime.now(UTC) + timedelta(**times)).isoformat().replace("+00:00", "Z")


def key(number: int, name: str, kind: str = "application", **fields: Any) -> dict[str, Any]:
    prefix = {"application": "sk_9f", "publishable": "pk_Qe", "provider": "sk-ab"}[kind]
    return {
        "id": f"key_{number}",
        "kind": kind,
        "name": name,
        "hint": f"{prefix}{number}…x3Q{number}",
        "provider": None,
        "models": [],
        "origins": [],
        "assistant": None,
        "requests_per_minute": None,
        "tokens_per_minute": None,
        "concurrent": None,
        "daily_budget_usd": None,
        "monthly_budget_usd": None,
        "visitor_requests_per_minute": None,
        "spent_today_usd": 0.0,
        "spent_this_month_usd": 0.0,
        "created_at": "2026-03-01T08:00:00Z",
        "last_used_at": None,
        "expires_at": None,
        "old_secret_until": None,
        "revoked_at": None,
        **fields,
    }


SHOP = key(
    1,
    "Shop assistant of the intranet",
    models=["doubao/*", "assistant/site"],
    requests_per_minute=120,
    tokens_per_minute=90_000,
    concurrent=8,
    daily_budget_usd=5.0,
    monthly_budget_usd=100.0,
    spent_today_usd=4.31,
    spent_this_month_usd=38.02,
    last_used_at="2026-03-02T09:30:00Z",
    expires_at="2099-01-01T00:00:00Z",
)
SITE = key(
    2,
    "www.example.org",
    "publishable",
    assistant="site",
    origins=["https://www.example.org", "https://shop.example.org"],
    visitor_requests_per_minute=20,
    spent_this_month_usd=0.0312,
    last_used_at="2026-03-02T09:31:00Z",
)
KEYS = [
    SHOP,
    SITE,
    key(3, "Spare key of Doubao", "provider", provider="doubao"),
    key(4, "Nightly summaries", daily_budget_usd=1.0, spent_today_usd=1.2),
    key(5, "Old trial", revoked_at="2026-02-01T08:00:00Z"),
    key(6, "Fair in May", expires_at="2026-02-20T08:00:00Z"),
]


USAGE = {"requests_last_minute": 102, "tokens_last_minute": 12_400, "running": 3}


def deployment(model: str, **fields: Any) -> dict[str, Any]:
    return {
        "model": model,
        "key": 1,
        "usable": True,
        "cooling_down_until": None,
        "running": 0,
        "failures": 0,
        "reachable": True,
        "last_error": None,
        **fields,
    }


def provider(name: str, adapter: str, *deployments: Any, **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "adapter": adapter,
        "configured": True,
        "set_variable": None,
        "default_model": deployments[0]["model"] if deployments else None,
        "models": [one["model"] for one in deployments],
        "reachable": True,
        "last_error": None,
        "keys": 1,
        "deployments": list(deployments),
        **fields,
    }


def providers(instance: int = 0) -> dict[str, Any]:
    """Providers as one instance sees them: the second one has made calls of its own."""
    cooling = {"usable": False, "cooling_down_until": later(minutes=3), "failures": 3}
    failed = {"reachable": False, "last_error": "timeout_error"}
    return {
        "instance": instance,
        "items": [
            provider(
                "doubao",
                "doubao",
                deployment("doubao-1-5-thinking-vision-pro-250428", running=3 + instance),
                deployment(
                    "doubao-1-5-thinking-vision-pro-250428",
                    key=2,
                    **(cooling | failed if instance == 0 else {}),
                ),
                keys=2,
            ),
            provider(
                "tongyi",
                "tongyi",
                deployment("qwen-plus", reachable=False, last_error="proxy_error", failures=1),
                deployment("qwen-turbo", reachable=None),
            ),
            provider("local", "local", deployment("smollm2-135m"), keys=0),
            provider(
                "openai", "openai_compatible", configured=False, set_variable="OPENAI_API_KEY"
            ),
        ],
        "next_cursor": None,
    }


def stock(upstream: Upstream) -> None:
    """Fills the played services."""
    upstream.answers |= {
        KEYS_PATH: (200, {"items": KEYS, "next_cursor": None}),
        **{f"{KEYS_PATH}/{one['id']}": (200, one) for one in KEYS},
        **{f"{KEYS_PATH}/{one['id']}/usage": (200, USAGE) for one in KEYS},
        "/api/llm/providers": (200, providers()),
        "/api/llm/configuration": (200, CONFIGURATION),
    }


def _words(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


def _model(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "chat",
        "price": None,
        "max_tokens": None,
        "context_tokens": None,
        "languages": [],
        **fields,
    }


def _loaded(name: str, adapter: str, url: str, *models: Any, **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "adapter": adapter,
        "base_url": url,
        "configured": True,
        "set_variable": None,
        "keys": 1,
        "default_model": models[0]["name"] if models else None,
        "any_model": False,
        "header_names": [],
        "models": list(models),
        **fields,
    }


CONFIGURATION: dict[str, Any] = {
    "models_file": {"problem": None},
    "assistants_file": {"problem": None},
    "default": "doubao/doubao-1-5-thinking-vision-pro-250428",
    "default_order": ["doubao", "tongyi", "local"],
    "default_embedding": "embedder/default",
    "aliases": {"local": "local/smollm2-135m"},
    "deployments": {
        "chat": [
            {"model": "doubao/ep-20250101-abcde", "weight": 3, "own_key": False},
            {"model": "tongyi/qwen-plus", "weight": 1, "own_key": True},
        ]
    },
    "fallbacks": {"chat": ["local"]},
    "providers": [
        _loaded(
            "doubao",
            "doubao",
            "https://ark.cn-beijing.volces.com/api/v3",
            _model(
                "doubao-1-5-thinking-vision-pro-250428",
                context_tokens=131_072,
                max_tokens=16_384,
                price={"currency": "CNY", "input": 3, "output": 9},
            ),
            any_model=True,
            header_names=["X-Team"],
        ),
        _loaded(
            "local",
            "local",
            "http://127.0.0.1:8743/v1",
            _model("smollm2-135m", context_tokens=2_048, languages=["en"]),
            keys=0,
        ),
        _loaded(
            "openai",
            "openai_compatible",
            "https://api.openai.com/v1",
            configured=False,
            set_variable="OPENAI_API_KEY",
        ),
    ],
    "assistants": [
        {
            "name": "site",
            "collection": "site",
            "top_k": 4,
            "min_score": 0.35,
            "model": None,
            "rewrite_model": None,
            "max_tokens": 400,
            "temperature": 0.2,
            "max_passage_characters": 600,
            "max_question_characters": 2000,
            "max_history_messages": 4,
            "max_history_characters": 300,
            "prompt": _words("请只根据资料回答。", "Answer using only the text."),
            "question": _words("资料：{passages} 问题：{question}", "Text: {passages}\n{question}"),
            "nothing_found": _words("没有找到。", "I found nothing about this."),
            "quoted": _words("原文：{passage}", "This passage fits best: {passage}"),
        }
    ],
}
