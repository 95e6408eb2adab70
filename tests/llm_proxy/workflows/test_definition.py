"""Definitions: the project's own are sound, and each mistake of a new one is named."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.kernel.errors import NotFound
from services.llm_proxy.workflows.library import Library, Reading, read_folder
from services.llm_proxy.workflows.template import BadPrompt, PromptRoom
from tests.llm_proxy.workflows.conftest import DEFINITIONS

GOOD: dict[str, Any] = {
    "title": {"en": "Mine", "zh": "我的"},
    "subject": "poem",
    "briefing": "use",
    "inputs": {"target_lang": {"pattern": "[a-z]{2}", "max_characters": 2}},
    "models": {"fast": "vendor/good"},
    "modes": {"automatic": "fast", "manual": "person"},
    "default_mode": "automatic",
    "steps": [
        {
            "name": "draft",
            "prompt": "draft.j2",
            "inputs": ["poem", "target_lang", "briefing"],
            "output": {"form": "tags", "main": "text", "fields": {"text": None, "notes": None}},
        },
        {
            "name": "data",
            "prompt": "data.j2",
            "inputs": ["draft"],
            "output": {
                "form": "json",
                "schema": {
                    "type": "object",
                    "required": ["words"],
                    "properties": {"words": {"type": "array", "items": {"type": "string"}}},
                },
            },
        },
    ],
    "result": {"stored_as": "translation", "fields": {"translated_text": "draft.text"}},
}
PROMPTS = {
    "draft.j2": "{{ poem.title }} {{ target_lang }}{% if briefing %}{{ briefing.text }}{% endif %}",
    "data.j2": "{{ draft.text }}{{ draft.notes }}",
}


def read(folder: Path, definition: Any, prompts: dict[str, str] | None = None) -> Reading:
    (folder / "prompts").mkdir(exist_ok=True)
    for name, text in {**PROMPTS, **(prompts or {})}.items():
        (folder / "prompts" / name).write_text(text)
    text = definition if isinstance(definition, str) else yaml.safe_dump(definition)
    (folder / "mine.yaml").write_text(text)
    return read_folder(folder, {}, lambda model: None if "good" in model else "no such model")


def test_the_projects_own_definitions_are_sound() -> None:
    reading = read_folder(DEFINITIONS, {})
    assert reading.problems == {}
    assert {"translation", "briefing", "faq"} <= set(reading.workflows)
    modes = reading.workflows["translation"].definition.modes
    assert set(modes) == {"hybrid", "reasoning", "non_reasoning", "manual"}


def test_a_good_definition_has_no_problem(tmp_path: Path) -> None:
    reading = read(tmp_path, GOOD)
    assert reading.problems == {} and list(reading.workflows) == ["mine"]


def put(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(definition: dict[str, Any]) -> None:
        for part in path[:-1]:
            definition = definition[part]
        definition[path[-1]] = value

    return change


MISTAKES: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (put("colour", value="red"), "colour"),
    (put("title", value={"en": "only"}), "title.zh"),
    (put("steps", value=[]), "steps"),
    (put("concurrency", value=0), "concurrency"),
    (put("default_mode", value="magic"), "there is no mode magic"),
    (put("modes", "automatic", value="slow"), "slow is neither"),
    (put("modes", "automatic", value={"draft": "fast"}), "nobody does step data"),
    (put("modes", "automatic", value={"draft": "fast", "data": "fast", "x": "fast"}), "no step x"),
    (put("models", "fast", value="bad"), "models.fast: no such model"),
    (put("inputs", "target_lang", "pattern", value="["), "no regular expression"),
    (put("inputs", "target_lang", "default", value="english"), "own default"),
    (put("inputs", "draft", value={}), "name of an input and of a step"),
    (put("inputs", "poem", value={}), "meaning of its own"),
    (put("steps", 1, "name", value="draft"), "two steps are called draft"),
    (put("steps", 0, "inputs", value=["poem", "data"]), "input data is not known here"),
    (put("steps", 0, "inputs", value=["poem"]), "which is not in `inputs`"),
    (put("steps", 1, "inputs", value=["draft", "poem"]), "poem is declared and never used"),
    (put("steps", 0, "prompt", value="none.j2"), "none.j2: there is no such file"),
    (put("steps", 0, "output", "main", value="title"), "title is none of its fields"),
    (put("steps", 1, "output", "schema", value={"type": "list"}), "schema"),
    (put("steps", 1, "output", "schema", value={"type": "array"}), "must be of the type object"),
    (put("steps", 0, "output", value={"form": "xml"}), "steps.0.output"),
    (put("result", "fields", "translated_text", value="last.text"), "there is no step last"),
    (put("result", "fields", "translated_text", value="draft.words"), "has no output words"),
    (put("result", "fields", value={"notes": "draft.notes"}), "needs the field translated_text"),
    (put("subject", value=None), "belongs to a poem"),
]


@pytest.mark.parametrize(("change", "said"), MISTAKES, ids=[said for _, said in MISTAKES])
def test_a_mistake_is_named(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    definition = copy.deepcopy(GOOD)
    change(definition)
    reading = read(tmp_path, definition)
    lines = [line for lines in reading.problems.values() for line in lines]
    assert reading.workflows == {}
    assert any(said in line for line in lines), lines
    assert all(line.startswith("mine.yaml: ") for line in lines)


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("{{ draft.titel }}", "titel"),
        ("{{ draft.text", "line 1"),
        ("{% for x in draft.text %}", "line 1"),
        ("{{ draft.text | shout }}", "shout"),
        ("{{ draft.text }} {% include 'gone.j2' %}", "gone.j2"),
        ("{{ draft.text }} {% include 'data.j2' %}", "includes itself"),
        ("{{ draft.text.__class__.__mro__ }}", "unsafe"),
        ("{{ draft.text.format_map(draft) }}{{ 1 / 0 }}", "ZeroDivisionError"),
    ],
)
def test_a_mistake_in_a_prompt_is_named(tmp_path: Path, prompt: str, said: str) -> None:
    reading = read(tmp_path, GOOD, {"data.j2": prompt})
    assert reading.workflows == {}
    assert said in str(reading.problems["mine.yaml"])


@pytest.mark.parametrize("text", ["", "- a", "title: [", "\x00", "a: &a [*a]"])
def test_what_is_no_definition_is_refused_and_raises_nothing(tmp_path: Path, text: str) -> None:
    assert list(read(tmp_path, text).problems) == ["mine.yaml"]


def test_a_name_that_stands_twice_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("concurrency: 1\ntitle: {en: a, zh: b}\nconcurrency: 2\n")
    found = read_folder(tmp_path, {}).problems["mine.yaml"]
    assert found == ["mine.yaml: concurrency stands twice, again in line 3"]


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "My Flow.yaml").write_text(yaml.safe_dump(GOOD))
    assert "My Flow.yaml" in read_folder(tmp_path, {}).problems
    assert read_folder(tmp_path / "nothing", {}).problems


def test_prompts_cannot_leave_their_sandbox() -> None:
    room = PromptRoom({"a": "{{ value.__class__.__subclasses__() }}"})
    with pytest.raises(BadPrompt):
        room.fill("a", {"value": "x"})


def test_a_prompt_keeps_text_as_it_is() -> None:
    room = PromptRoom({"a": "{{ poem }}\n{{ none }}!"})
    assert room.fill("a", {"poem": "<b>\n  & 'x'", "none": None}) == "<b>\n  & 'x'\n!"


def test_a_changed_folder_is_taken_and_a_broken_change_leaves_the_old(tmp_path: Path) -> None:
    read(tmp_path, GOOD)
    library = Library(tmp_path, {})
    assert library.check().ok
    broken = copy.deepcopy(GOOD)
    broken["default_mode"] = "magic"
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(broken))
    library.refresh()
    assert "magic" in library.check().detail and not library.check().ok
    assert library.get("mine").definition.default_mode == "automatic"
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(GOOD))
    (tmp_path / "mine.yaml").unlink()
    library.refresh()
    assert library.check().ok and list(library.workflows) == ["other"]
    with pytest.raises(NotFound):
        library.get("mine")
