"""config/assistants.yaml: assistants that answer from the knowledge base and name their sources."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.kernel.errors import InvalidRequest, NotFound
from services.llm_proxy.configuration import checked, expand, load_yaml
from services.llm_proxy.prompt import MESSAGE_TOKENS, Fitted, Prompt, Turn, fitted, most_tokens
from services.llm_proxy.providers.dashscope_request import text_of_message

FILE = "assistants.yaml"
PREFIX = "assistant/"
_MARKUP = re.compile(r"^#+[ \t]+|`", re.MULTILINE)
Language = Literal["zh", "en"]


class Words(BaseModel):
    """One text in both languages."""

    model_config = ConfigDict(extra="forbid")

    zh: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]

    def said_in(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


class AssistantConfig(BaseModel):
    """One assistant. Lengths are in characters, because models differ in how they count tokens."""

    model_config = ConfigDict(extra="forbid")

    prompt: Words
    question: Words
    nothing_found: Words
    quoted: Words
    collection: str = "site"
    top_k: Annotated[int, Field(ge=1, le=20)] = 3
    min_score: Annotated[float, Field(ge=0, le=1)] | None = None
    model: str | None = None
    rewrite_model: str | None = None
    max_tokens: Annotated[int, Field(ge=1)] = 512
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.2
    max_passage_characters: Annotated[int, Field(ge=50)] = 600
    max_question_characters: Annotated[int, Field(ge=1)] = 2000
    max_history_messages: Annotated[int, Field(ge=0)] = 4
    max_history_characters: Annotated[int, Field(ge=50)] = 400

    @field_validator("quoted")
    @classmethod
    def _has_slot(cls, value: Words) -> Words:
        if "{passage}" not in value.zh or "{passage}" not in value.en:
            raise ValueError("needs {passage} in both languages")
        return value

    @field_validator("question")
    @classmethod
    def _has_slots(cls, value: Words) -> Words:
        for text in (value.zh, value.en):
            if "{passages}" not in text or "{question}" not in text:
                raise ValueError("needs {passages} and {question} in both languages")
        return value


class AssistantsFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid")

    assistants: dict[str, AssistantConfig]


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage that a search found."""

    id: str
    title: str
    url: str
    source: str
    content: str
    snippet: str
    relevance_score: float | None

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> Passage:
        """From one of kb's results; what is missing is empty."""
        texts = {
            name: str(result.get(name) or "")
            for name in ("id", "title", "url", "source", "content", "snippet")
        }
        score = result.get("relevance_score")
        number = float(score) if isinstance(score, int | float) else None
        return cls(**texts, relevance_score=number)

    def citation(self, index: int) -> dict[str, Any]:
        """As the contract shows a source; `index` counts from 1."""
        return {
            "index": index,
            "id": self.id,
            "title": self.title,
            "url": self.url,
            "source": self.source,
            "snippet": self.snippet,
            "relevance_score": self.relevance_score,
        }


@dataclass(frozen=True, slots=True)
class Assistant:
    """An assistant at work."""

    name: str
    config: AssistantConfig

    @property
    def model_name(self) -> str:
        return PREFIX + self.name

    def question_in(self, messages: Sequence[Mapping[str, Any]]) -> str:
        """The last words of the user. Raises InvalidRequest for none, or too many."""
        last = messages[-1]
        question = text_of_message(last).strip() if last.get("role") == "user" else ""
        if not question:
            raise InvalidRequest("The last message must be a user's question.", param="messages")
        if len(question) > self.config.max_question_characters:
            limit = self.config.max_question_characters
            message = f"The question is longer than {limit} characters."
            raise InvalidRequest(message, param="messages")
        return question

    def nothing_for(self, question: str) -> str:
        """What is said when the search finds nothing."""
        return self.config.nothing_found.said_in(language_of(question)).strip()

    def quoted(self, question: str, passage: Passage) -> str:
        """The best passage as it stands, for a model that does not speak the language."""
        words = self.config.quoted.said_in(language_of(question)).strip()
        text = (passage.content or passage.snippet)[: self.config.max_passage_characters]
        return words.replace("{passage}", text)

    def search(self) -> dict[str, Any]:
        """The options of kb's search."""
        config = self.config
        options: dict[str, Any] = {"top_k": config.top_k, "collection": config.collection}
        if config.min_score is not None:
            options["min_score"] = config.min_score
        return options

    def prompt(
        self,
        messages: Sequence[Mapping[str, Any]],
        question: str,
        passages: Sequence[Passage],
        options: Mapping[str, Any],
        context_tokens: int | None,
    ) -> Prompt:
        """The chat that the model gets: our prompt, a little history, passages and question.

        Of the caller's options only the length may be made shorter: a stranger's page must not be
        able to turn the assistant into another one. Raises InvalidRequest when the question alone
        is too long for `context_tokens` (None: unknown, nothing is trimmed).
        """
        language, config = language_of(question), self.config
        asked = options.get("max_completion_tokens") or options.get("max_tokens")
        max_tokens = min(asked or config.max_tokens, config.max_tokens)
        if context_tokens is not None:
            max_tokens = min(max_tokens, context_tokens // 2)
        system, form = config.prompt.said_in(language).strip(), config.question.said_in(language)
        turns, sources = self._turns(messages[:-1]), [self._shown(one) for one in passages]
        fit = Fitted(turns[max(0, len(turns) - config.max_history_messages) :], sources)
        if context_tokens is not None:
            fixed = 2 * MESSAGE_TOKENS + sum(map(most_tokens, (system, form, question)))
            room = context_tokens - max_tokens
            fit = fitted(fit.history, sources, fixed_tokens=fixed, budget_tokens=room)
        last = form.replace("{passages}", "\n\n".join(fit.sources)).replace("{question}", question)
        chat = [{"role": "system", "content": system}, *fit.history]
        body = {
            "messages": [*chat, {"role": "user", "content": last.strip()}],
            "stream": bool(options.get("stream")),
            "max_tokens": max_tokens,
            "temperature": config.temperature,
        }
        return Prompt(body, len(fit.sources), _trimmed(turns, sources, fit))

    def _shown(self, passage: Passage) -> str:
        """Without headings and markup of its own: a small model would go on in the same form."""
        text = _MARKUP.sub("", passage.content or passage.snippet).strip()
        return text[: self.config.max_passage_characters]

    def _turns(self, messages: Sequence[Mapping[str, Any]]) -> list[Turn]:
        """What was said before, each shortened; a caller's system messages are left out."""
        limit = self.config.max_history_characters
        return [
            {"role": str(message["role"]), "content": text_of_message(message)[:limit]}
            for message in messages
            if message.get("role") in ("user", "assistant") and text_of_message(message).strip()
        ]


def _trimmed(turns: Sequence[Turn], sources: Sequence[str], fit: Fitted) -> dict[str, int | bool]:
    told: dict[str, int | bool] = {
        "messages": len(turns) - len(fit.history),
        "passages": len(sources) - len(fit.sources),
        "shortened": fit.shortened,
    }
    return {name: value for name, value in told.items() if value}


class Assistants:
    """All assistants of the file."""

    def __init__(self, file: AssistantsFile) -> None:
        self._all = {name: Assistant(name, config) for name, config in file.assistants.items()}

    @property
    def names(self) -> list[str]:
        return list(self._all)

    @property
    def all(self) -> list[Assistant]:
        return list(self._all.values())

    def named(self, model: str) -> Assistant:
        """The assistant behind `assistant/NAME`. Raises NotFound."""
        found = self._all.get(model.removeprefix(PREFIX))
        if found is None:
            raise NotFound("There is no such assistant. GET /v1/models lists them.", param="model")
        return found


def parse_assistants(text: str, environ: Mapping[str, str]) -> Assistants:
    """The file's text as assistants. Raises ConfigurationError with a line for each problem."""
    value = expand(load_yaml(text, FILE), environ)
    return Assistants(checked(AssistantsFile, value, FILE))


def language_of(text: str) -> Language:
    """Chinese as soon as a good part of the letters is Chinese: names in it may be English."""
    chinese = sum("\u3400" <= c <= "\u9fff" or "\uf900" <= c <= "\ufaff" for c in text)
    latin = sum(c.isascii() and c.isalpha() for c in text)
    return "zh" if chinese * 4 >= latin and chinese else "en"
