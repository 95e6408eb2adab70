"""What kb and llm_proxy say in the tests of the console's studio."""

from __future__ import annotations

from typing import Any

from tests.web.upstream import Upstream

POEM_ID = "poem-1"
TASK_ID = "task-1"
_QUIET_NIGHT = "床前明月光，\n疑是地上霜。\n举头望明月，\n低头思故乡。"


def poem(poem_id: str, title: str, author: str, lang: str, text: str, count: int) -> dict[str, Any]:
    return {
        "id": poem_id,
        "title": title,
        "author": author,
        "source_lang": lang,
        "original_text": text,
        "is_selected": False,
        "metadata": {},
        "translation_count": count,
        "briefing_id": None,
        "created_at": "2026-03-01T08:00:00Z",
        "updated_at": "2026-03-01T08:00:00Z",
    }


POEMS = [
    poem(POEM_ID, "静夜思", "李白", "zh", _QUIET_NIGHT, 2),
    poem(
        "poem-2",
        "The Tyger",
        "William Blake",
        "en",
        "Tyger Tyger, burning bright,\nIn the forests of the night;",
        0,
    ),
    poem("poem-3", "登鹳雀楼", "王之涣", "zh", "白日依山尽，\n黄河入海流。", 1),
]


def translation(number: int, text: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"translation-{number}",
        "poem_id": POEM_ID,
        "task_id": f"task-{number}",
        "workflow": "translation",
        "mode": "hybrid",
        "model": "doubao/pro",
        "input_tokens": 1240,
        "output_tokens": 610,
        "cost_usd": 0.0042,
        "seconds": 18.4,
        "created_at": f"2026-03-0{number}T10:00:00Z",
        "target_lang": "en",
        "translated_title": "Thoughts on a Quiet Night",
        "translated_author": "Li Bai",
        "translated_text": text,
        "translator_type": "ai",
        "translator": "",
        "notes": "",
        "quality_rating": None,
        "updated_at": f"2026-03-0{number}T10:00:00Z",
        **fields,
    }


TRANSLATIONS = [
    translation(
        2,
        "Before my bed the moonlight lies,\nI take it for a frost that stays.\n"
        "I lift my head: the moon on high.\nI bow it, and my home is far away.",
        quality_rating=7,
        notes="The third line is too short.",
    ),
    translation(
        1,
        "Bright moonlight at my bedside,\nas if frost on the ground.\n"
        "Raising my head I see the moon,\nlowering it I think of home.",
        translator_type="human",
        translator="A. Reader",
        model="",
        input_tokens=None,
        output_tokens=None,
        cost_usd=None,
        seconds=None,
        translated_title="Quiet Night",
    ),
]
BRIEFING = {
    "id": "briefing-1",
    "poem_id": POEM_ID,
    "task_id": "task-9",
    "workflow": "briefing",
    "mode": "automatic",
    "model": "doubao/pro",
    "input_tokens": 800,
    "output_tokens": 500,
    "cost_usd": 0.002,
    "seconds": 9.1,
    "created_at": "2026-03-01T09:00:00Z",
    "content": {
        "summary": "A traveller wakes at night and takes the moonlight for frost.",
        "cultural_context": "The full moon stands for the family that is far away.",
        "form_and_style": "A quatrain of five-character lines in plain words.",
        "challenges": ["床 may be a bed or a well's rail.", "The rhyme in -ang ties three lines."],
    },
}
_STEPS = ("initial_translation", "editor_review", "revised_translation")


def step(name: str, status: str, **fields: Any) -> dict[str, Any]:
    done = status == "completed"
    return {
        "name": name,
        "status": status,
        "performer": "model",
        "seconds": 6.2 if done else None,
        "model": "doubao/pro" if status != "pending" else None,
        "tokens": 640 if done else None,
        "input_tokens": 400 if done else None,
        "output_tokens": 240 if done else None,
        "cost_usd": 0.0014 if done else None,
        "attempts": 0 if status == "pending" else 1,
        **fields,
    }


def task(status: str, done: int = 1, **fields: Any) -> dict[str, Any]:
    over = status in ("completed", "failed", "cancelled")
    states = ["completed" if place < done else "pending" for place in range(3)]
    if done < 3 and not over:
        states[done] = "running"
    return {
        "task_id": TASK_ID,
        "workflow": "translation",
        "workflow_mode": "hybrid",
        "poem_id": POEM_ID,
        "target_lang": "en",
        "status": status,
        "progress": 100 if status == "completed" else 25 * done,
        "current_step": None if over else _STEPS[min(done, 2)],
        "steps": [step(name, state) for name, state in zip(_STEPS, states, strict=True)],
        "message": "",
        "result": None,
        "error": None,
        "created_at": "2026-03-05T10:00:00Z",
        "updated_at": "2026-03-05T10:00:09Z",
        **fields,
    }


def session(place: int) -> dict[str, Any]:
    """Work by hand that is at the step of this place; 3: done."""
    over = place == 3
    states = ["completed" if at < place else "pending" for at in range(3)]
    if not over:
        states[place] = "waiting_for_person"
    steps = [step(name, s, performer="person") for name, s in zip(_STEPS, states, strict=True)]
    return {
        "session_id": TASK_ID,
        "task_id": TASK_ID,
        "poem_id": POEM_ID,
        "target_lang": "en",
        "status": "completed" if over else "waiting_for_person",
        "step": None if over else _STEPS[place],
        "prompt": None if over else f"Step {place + 1}. Translate this poem:\n\n{_QUIET_NIGHT}",
        "steps": [{**item, "outputs": None} for item in steps],
        "result": None,
        "error": None,
    }


def stock(upstream: Upstream) -> None:
    """A library of poems, one of which has two translations and a briefing."""
    at = f"/api/v1/poems/{POEM_ID}"
    upstream.answers |= {
        "/api/v1/poems": (200, POEMS),
        at: (200, POEMS[0]),
        f"{at}/translations": (200, TRANSLATIONS),
        f"{at}/briefings": (200, [BRIEFING]),
        "/api/v1/workflow/tasks": (
            200,
            {
                "items": [task("running"), task("completed", 3, task_id="task-2")],
                "next_cursor": None,
            },
        ),
        f"/api/v1/manual/sessions/{TASK_ID}": (200, session(0)),
    }
