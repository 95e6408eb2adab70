"""Prompts: Jinja templates in a sandbox that see what their step declares, and nothing else.

https://jinja.palletsprojects.com/en/stable/sandbox/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import DictLoader, StrictUndefined, TemplateError, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_PROMPT_CHARACTERS = 1_000_000


class BadPrompt(Exception):
    """A template that cannot be filled in; the text is for the person who wrote it."""


def _nothing_for_none(value: Any) -> Any:
    """What is not there is not written as `None`."""
    return "" if value is None else value


class PromptRoom:
    """The templates of one workflow, which may include one another."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._templates = templates
        # Prompts are plain text for a model: nothing in them may be changed into HTML.
        self._environment = ImmutableSandboxedEnvironment(  # see the line above
            loader=DictLoader(templates),
            undefined=StrictUndefined,
            autoescape=False,
            finalize=_nothing_for_none,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def fill(self, name: str, values: Mapping[str, Any]) -> str:
        """The template's text with `values` in it. Raises BadPrompt."""
        try:
            text = self._environment.get_template(name).render(values)
        except TemplateError as exc:
            raise BadPrompt(f"{name}: {exc.message}") from exc
        except (
            TypeError,
            ValueError,
            ArithmeticError,
            LookupError,
            AttributeError,
            RuntimeError,
        ) as exc:
            raise BadPrompt(f"{name}: {type(exc).__name__} while it was filled in") from exc
        if len(text) > MAX_PROMPT_CHARACTERS:
            raise BadPrompt(f"{name}: the prompt is longer than {MAX_PROMPT_CHARACTERS} characters")
        return text.strip()

    def variables(self, name: str) -> set[str]:
        """What a template and those that it includes ask for. Raises BadPrompt."""
        found: set[str] = set()
        for each in self._with_included(name, set()):
            try:
                found |= meta.find_undeclared_variables(self._parsed(each))
            except TemplateSyntaxError as exc:  # an unknown filter or test
                raise BadPrompt(f"{each}: line {exc.lineno}: {exc.message}") from exc
        return found

    def included(self, name: str) -> list[str]:
        """The templates that a template includes by name. Raises BadPrompt."""
        found = []
        for included in meta.find_referenced_templates(self._parsed(name)):
            if included is None:
                raise BadPrompt(f"{name}: an included file must be named by its name")
            found.append(included)
        return found

    def _with_included(self, name: str, seen: set[str]) -> Iterator[str]:
        if name in seen:
            raise BadPrompt(f"{name}: includes itself")
        if name not in self._templates:
            raise BadPrompt(f"{name}: there is no such file in prompts/")
        yield name
        for included in self.included(name):
            yield from self._with_included(included, seen | {name})

    def _parsed(self, name: str) -> Any:
        try:
            return self._environment.parse(self._templates[name])
        except TemplateSyntaxError as exc:
            raise BadPrompt(f"{name}: line {exc.lineno}: {exc.message}") from exc
