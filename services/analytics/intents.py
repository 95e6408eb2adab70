"""What questions are about: keyword rules by language, read from a file and checked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection

from services.analytics.intake import Record
from services.analytics.models import BUCKET_US, Kind
from services.analytics.words import folded, has_cjk
from services.kernel.errors import ConfigurationError

OTHER = "other"
_CHAT = int(Kind.chat)
_ADD = """
INSERT INTO intent (bucket, name, questions) VALUES (?, ?, ?)
ON CONFLICT (bucket, name) DO UPDATE SET questions = questions + excluded.questions
"""


class _Rule(BaseModel):
    """One intent: its name, and words for each language (any two-letter code)."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, list[str]]

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    intents: list[_Rule] = Field(max_length=50)


class IntentRules:
    """The rules of a file; `of` says what a question is about."""

    def __init__(self, rules: Sequence[tuple[str, re.Pattern[str]]]) -> None:
        self._rules = tuple(rules)

    @property
    def names(self) -> list[str]:
        return [*(name for name, _ in self._rules), OTHER]

    def of(self, question: str) -> str:
        text = folded(question)
        return next((name for name, words in self._rules if words.search(text)), OTHER)


def read_rules(path: Path) -> IntentRules:
    """The rules of a file; none where there is no file. Raises ConfigurationError."""
    if not path.exists():
        return IntentRules(())
    try:
        found = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise ConfigurationError("ANALYTICS_INTENTS_FILE: cannot be read as YAML") from exc
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"ANALYTICS_INTENTS_FILE: {where}: {first['msg']}") from exc
    names = [rule.name for rule in found.intents]
    if len({*names, OTHER}) != len(names) + 1:
        raise ConfigurationError(f"ANALYTICS_INTENTS_FILE: a name is there twice, or `{OTHER}`")
    return IntentRules([(rule.name, _pattern(rule)) for rule in found.intents])


def _pattern(rule: _Rule) -> re.Pattern[str]:
    words = [folded(word.strip()) for some in rule.__pydantic_extra__.values() for word in some]
    if not all(words) or not words:
        raise ConfigurationError(f"ANALYTICS_INTENTS_FILE: {rule.name} needs words, none empty")
    alternatives = (
        re.escape(word) if has_cjk(word) else rf"(?<!\w){re.escape(word)}(?!\w)" for word in words
    )
    return re.compile("|".join(alternatives))


def add_intents(connection: Connection, rules: IntentRules, records: Sequence[Record]) -> None:
    """Counts new questions. Needs the transaction in which they are inserted."""
    counts = Counter(
        (record.time_us // BUCKET_US, rules.of(record.text))
        for record in records
        if record.kind == _CHAT and record.text is not None
    )
    if counts:
        rows = [(bucket, name, count) for (bucket, name), count in counts.items()]
        connection.exec_driver_sql(_ADD, rows)
