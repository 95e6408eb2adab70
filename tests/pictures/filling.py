"""What a stack holds after some weeks of use: made here, by the interfaces that clients use."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.analytics import making
from tests.support.stack import Stack
from tests.support.wait import until

DAYS = 21
_MODELS = [("doubao", "doubao-1-5-thinking-vision-pro-250428"), ("tongyi", "qwen-plus")]
_QUESTIONS = [
    "如何备份 Trivet？",
    "What is Trivet?",
    "如何接入豆包？",
    "Which ports does Trivet use?",
    "How do I back up Trivet?",
    "怎样更新到新版本？",
    "How do I add my own documents?",
    "日志保存在哪里？",
]
_UNANSWERED = [
    "有没有手机客户端？",
    "Is there a mobile app?",
    "可以接入微信公众号吗？",
    "Can it answer telephone calls?",
]
_ASKED_NOW = [
    ("如何备份 Trivet？", "up"),
    ("How do I connect Doubao?", "up"),
    ("Trivet 使用哪些端口？", None),
    ("How do I back up Trivet?", "up"),
    ("有没有手机客户端？", "down"),
    ("Can it answer telephone calls?", "down"),
]
_SECONDS = 120
_BATCH = 200


@dataclass(frozen=True)
class Filled:
    """What pictures point at."""

    poem_id: str
    website_key: str


def fill(stack: Stack, origin: str) -> Filled:
    """Questions of three weeks and of today, opinions, keys, and a finished translation."""
    with httpx.Client(base_url=stack.base_url, headers=stack.admin, timeout=_SECONDS) as client:
        events = list(_history(datetime.now(UTC)))
        for start in range(0, len(events), _BATCH):
            _post(client, "/api/analytics/events", {"events": events[start : start + _BATCH]})
        poem_id = _poem(client)
        task_id = translate(client, poem_id)
        until(lambda: _ended(client, task_id), _SECONDS, "the end of the translation")
        for number, (question, rating) in enumerate(_ASKED_NOW):
            _ask(client, question, rating, f"session-{number // 2}")
        _keys(client)
        website = {"name": "Bookshop", "kind": "publishable", "origins": [origin]}
        key = _post(client, "/api/llm/keys", {**website, "assistant": "site"})["key"]
    return Filled(poem_id, key)


def translate(client: httpx.Client, poem_id: str) -> str:
    """Begins a translation; its task's id."""
    body = {"poem_id": poem_id, "target_lang": "en", "workflow_mode": "hybrid"}
    return str(_post(client, "/api/v1/workflow/translate", body)["task_id"])


def _history(now: datetime) -> Iterator[making.Event]:
    chance = random.Random(7)  # the same pictures every time
    for day in range(DAYS, -1, -1):
        busy = 14 if (now - timedelta(days=day)).weekday() < 5 else 6
        for number in range(busy + chance.randrange(8)):
            opening = (now - timedelta(days=day)).replace(hour=0, minute=30)
            time = opening + timedelta(minutes=chance.randrange(720))  # a day's hours in China
            if time < now:
                yield from _visit(chance, time, f"s-{day}-{number}")


def _visit(chance: random.Random, time: datetime, session: str) -> Iterator[making.Event]:
    """One question with its search; the request's id joins both."""
    missed = chance.random() < 0.07
    weights = range(len(_QUESTIONS), 0, -1)
    question = (
        chance.choice(_UNANSWERED) if missed else chance.choices(_QUESTIONS, weights=weights)[0]
    )
    provider, model = chance.choices(_MODELS, weights=(4, 1))[0]
    envelope: dict[str, Any] = {"time": time, "request_id": f"r-{session}", "session_id": session}
    yield making.search(question, found=0 if missed else 4, cause="assistant", **envelope)
    extra = {
        "gen_ai.provider.name": provider,
        "gen_ai.usage.input_tokens": 380 + chance.randrange(500),
        "gen_ai.usage.output_tokens": 60 + chance.randrange(260),
        "gen_ai.response.time_to_first_chunk": 0.3 + chance.expovariate(4),
        "trivet.duration_seconds": 1.2 + chance.expovariate(0.6),
        "trivet.cost_usd": 0.0004 + chance.random() * 0.001,
    }
    if chance.random() < 0.02:
        yield making.failed(model=model, question=question, extra=extra, **envelope)
    else:
        yield making.chat(question, model=model, extra=extra, **envelope)


def _ask(client: httpx.Client, question: str, rating: str | None, session: str) -> None:
    body = {"model": "assistant/site", "messages": [{"role": "user", "content": question}]}
    headers = {"X-Session-ID": session}
    answer = client.post("/v1/chat/completions", json=body, headers=headers)
    answer.raise_for_status()
    if rating:
        opinion = {"request_id": answer.headers["x-request-id"], "rating": rating}
        client.post("/api/llm/feedback", json=opinion, headers=headers).raise_for_status()


def _keys(client: httpx.Client) -> None:
    for name, more in {
        "Support desk": {"requests_per_minute": 60, "monthly_budget_usd": 20},
        "Weekly summaries": {"requests_per_minute": 10},
    }.items():
        _post(client, "/api/llm/keys", {"name": name, "kind": "application", **more})


def _poem(client: httpx.Client) -> str:
    poems = client.get("/api/v1/poems", params={"search": "静夜思"}).raise_for_status().json()
    return str(poems[0]["id"])


def _ended(client: httpx.Client, task_id: str) -> bool:
    task = client.get(f"/api/v1/workflow/tasks/{task_id}").raise_for_status().json()
    assert task["status"] not in ("failed", "cancelled"), task["error"]
    return bool(task["status"] == "completed")


def _post(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(path, json=body)
    assert answer.is_success, f"{path}: {answer.text}"
    made: dict[str, Any] = answer.json()
    return made
