"""What workflows read from kb and put into it: poems, translations, briefings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from services.kernel.errors import NotFound, UpstreamError
from services.kernel.http_client import NeighbourClient
from services.llm_proxy.workflows.definition import BRIEFING
from services.llm_proxy.workflows.tasks import Task

PERSON_MODEL = "person"  # who wrote a briefing by hand
_POEMS = "/api/v1/poems"


class Shelf:
    """kb over HTTP. Every method raises the contract's errors; what is put twice is kept once."""

    def __init__(self, kb: NeighbourClient) -> None:
        self._kb = kb

    async def poem(self, poem_id: str) -> dict[str, Any]:
        """The poem. Raises NotFound."""
        try:
            poem = await self._get(f"{_POEMS}/{quote(poem_id, safe='')}")
        except NotFound as exc:
            raise NotFound("There is no poem of this id.", param="poem_id") from exc
        if not isinstance(poem, dict):
            raise UpstreamError("kb's answer made no sense.")
        return poem

    async def newest_briefing(self, poem_id: str) -> dict[str, Any] | None:
        """The poem's newest briefing; None where there is none. Raises NotFound without a poem."""
        path = f"{_POEMS}/{quote(poem_id, safe='')}/briefings"
        found = await self._get(path, {"limit": 1})
        items = found.get("items", []) if isinstance(found, dict) else found
        return dict(items[0]) if items else None

    async def keep(self, kind: str, task: Task, result: Mapping[str, Any]) -> str:
        """Stores a task's result as a translation or a briefing; its id."""
        path = f"{_POEMS}/{quote(task.poem_id or '', safe='')}/{kind}s"
        record = _briefing(task, result) if kind == BRIEFING else _translation(task, result)
        answer = await self._kb.request(
            "POST", path, json=record, request_id=task.request_id, timeout_seconds=30
        )
        return str(answer.json()["id"])

    async def _get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        answer = await self._kb.request("GET", path, params=params)
        try:
            return answer.json()
        except ValueError as exc:
            raise UpstreamError("kb's answer made no sense.") from exc


def readable(briefing: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A briefing as prompts see it: `content` as it is, `text` as a person would read it."""
    if briefing is None:
        return None
    content = briefing.get("content")
    text = content if isinstance(content, str) else _lines(content)
    return {"id": briefing.get("id"), "content": content, "text": text}


def _lines(content: Any) -> str:
    if not isinstance(content, Mapping):
        return json.dumps(content, ensure_ascii=False)
    lines = []
    for name, value in content.items():
        plain = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        lines.append(f"{name.replace('_', ' ')}: {plain}")
    return "\n".join(lines)


def translator_type(task: Task, result_source: str) -> str:
    """`human` where a person wrote the text, `ai` where a model did."""
    step = next((step for step in task.steps if step.name == result_source), None)
    return "human" if step is not None and step.written_by_person else "ai"


def _costs(task: Task) -> dict[str, Any]:
    return {
        "task_id": task.id,
        "workflow": task.workflow,
        "mode": task.mode,
        "input_tokens": task.input_tokens,
        "output_tokens": task.output_tokens,
        "cost_usd": task.cost_usd,
        "seconds": round(task.seconds, 3),
    }


def _translation(task: Task, result: Mapping[str, Any]) -> dict[str, Any]:
    named = ("translated_text", "translated_title", "translated_author", "notes")
    texts = {name: result[name] for name in named if result.get(name)}
    return {
        **_costs(task),
        **texts,
        "target_lang": task.inputs["target_lang"],
        "translator_type": result["translator_type"],
        "model": result.get("model") or _nameless(result),
    }


def _nameless(result: Mapping[str, Any]) -> str:
    return "" if result["translator_type"] == "human" else "unknown"


def _briefing(task: Task, result: Mapping[str, Any]) -> dict[str, Any]:
    model = result.get("model") or PERSON_MODEL
    return {**_costs(task), "content": result["content"], "model": model}
