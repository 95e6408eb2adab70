"""Answers of every kind: what fits, and what is said of what does not."""

import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from services.llm_proxy.workflows.answer import BadAnswer, parse_answer
from services.llm_proxy.workflows.definition import Output

ADAPTER: TypeAdapter[Output] = TypeAdapter(Output)
TAGS = {
    "form": "tags",
    "main": "translation",
    "fields": {
        "title": {"max_characters": 10},
        "translation": {"required": True, "max_characters": 60},
        "notes": None,
    },
}
SCHEMA = {
    "type": "object",
    "required": ["a"],
    "properties": {"a": {"type": "integer"}, "b": {"type": "string", "maxLength": 3}},
}


def parsed(output: dict[str, Any], text: str) -> dict[str, Any]:
    return parse_answer(ADAPTER.validate_python(output), text)


def test_parts_between_tags_keep_their_lines_and_indentation() -> None:
    text = "Sure!\n<title>A</title>\n<translation>\n  one\n    two < three\n</translation>"
    found = parsed(TAGS, text)
    assert found == {"title": "A", "translation": "  one\n    two < three", "notes": None}


def test_an_answer_without_tags_is_the_main_part() -> None:
    assert parsed(TAGS, " all of it ") == {"title": None, "translation": "all of it", "notes": None}


def test_a_models_thoughts_are_no_part_of_its_answer() -> None:
    text = "<think>hm <translation>no</translation></think><translation>yes</translation>"
    assert parsed(TAGS, text)["translation"] == "yes"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("<think>only</think>", "empty"),
        ("<title>x</title>", "<translation> is missing"),
        ("<translation> </translation>", "is empty"),
        ("<translation>x", "never closed"),
        ("</translation>x<translation>", "never closed"),
        ("<translation>x</translation><title>" + "y" * 11 + "</title>", "at most 10"),
        ("z" * 61, "at most 60"),
    ],
)
def test_what_is_wrong_with_tags_is_said(text: str, said: str) -> None:
    with pytest.raises(BadAnswer, match=said):
        parsed(TAGS, text)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        'Here:\n```json\n{"a": 1}\n```\nDone.',
        'The answer is {"a": 1}, I think.',
        '\n\n {"a":\n1}',
    ],
)
def test_json_is_found_bare_fenced_or_among_words(text: str) -> None:
    assert parsed({"form": "json", "schema": SCHEMA}, text) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no", "not valid JSON"),
        ("[1]", "one JSON object"),
        ('{"a": }', "line 1, column"),
        ("{}", "'a' is a required property"),
        ('{"a": "x"}', r"\$\.a: must have the type integer"),
        ('{"a": 1, "b": "long words"}', r"\$\.b: breaks the rule maxLength: 3"),
    ],
)
def test_what_is_wrong_with_json_is_said(text: str, said: str) -> None:
    with pytest.raises(BadAnswer, match=said):
        parsed({"form": "json", "schema": SCHEMA}, text)


def test_a_long_value_is_not_repeated_in_what_is_said() -> None:
    with pytest.raises(BadAnswer) as wrong:
        parsed({"form": "json", "schema": SCHEMA}, json.dumps({"a": 1, "b": "x" * 5000}))
    assert len(str(wrong.value)) < 500
