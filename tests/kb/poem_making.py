"""Poems as callers send them."""

from typing import Any

import httpx

MOON = "床前明月光，\r\n疑是地上霜。\r\n举头望明月，\r\n低头思故乡。"
MOON_IN_ENGLISH = "I wake, and moonbeams play around my bed,\nGlittering like hoar-frost"
NONE_HEX = "0" * 32


def poem(**more: Any) -> dict[str, Any]:
    """A poem's body."""
    fields = {"title": "静夜思", "author": "李白", "source_lang": "zh-CN", "original_text": MOON}
    return {**fields, **more}


def translation(**more: Any) -> dict[str, Any]:
    """A translation's body."""
    return {"target_lang": "en", "translated_text": MOON_IN_ENGLISH, **more}


def made_by_a_model(**more: Any) -> dict[str, Any]:
    """A translation's body as a workflow sends it."""
    making = {
        "translator_type": "ai",
        "workflow": "translation",
        "mode": "hybrid",
        "model": "mock/fast",
        "input_tokens": 100,
        "output_tokens": 50,
        "cost_usd": 0.25,
        "seconds": 2.5,
    }
    return translation(**{**making, **more})


def briefing(**more: Any) -> dict[str, Any]:
    """A briefing's body."""
    content = {"background": "唐 (618–907)", "terms": [{"term": "霜", "meaning": "frost"}]}
    return {"content": content, "model": "mock/slow", **more}


def created(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What is stored under /api/v1/poems."""
    response = client.post(f"/api/v1/poems{path}", json=body)
    assert response.status_code == 201, response.text
    view: dict[str, Any] = response.json()
    return view
