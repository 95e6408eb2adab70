"""An adapter turns a chat into a request to a vendor, and knows how to read the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.kernel.errors import NotFound, TrivetError
from services.llm_proxy.upstream import Request, Timeouts, parse_url

AdapterName = Literal[
    "openai_compatible", "doubao", "dashscope_app", "tongyi", "deepseek", "anthropic", "local"
]


FORM = ConfigDict(extra="forbid", allow_inf_nan=False)
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Price(BaseModel):
    """Prices per million tokens in one currency. Without one of its own, what was read from a cache
    or written to it costs as other input, and reasoning as other output."""

    model_config = FORM

    currency: str = "USD"
    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]
    cached_input: Annotated[float, Field(ge=0)] | None = None
    cache_write: Annotated[float, Field(ge=0)] | None = None
    reasoning: Annotated[float, Field(ge=0)] | None = None


class TimeoutConfig(BaseModel):
    """How long each phase may last; `silence` counts data, not comments."""

    model_config = FORM

    connect_seconds: Seconds = 10
    first_output_seconds: Seconds = 120
    silence_seconds: Seconds = 120
    total_seconds: Seconds = 900

    def changed_by(self, other: TimeoutConfig | None) -> TimeoutConfig:
        """These, but for the values that `other` names."""
        if other is None:
            return self
        return TimeoutConfig(**{**self.model_dump(), **other.model_dump(exclude_unset=True)})

    @cached_property
    def streaming(self) -> Timeouts:
        """For a stream, whose head comes at once."""
        return self._with_first_byte(self.first_output_seconds)

    @cached_property
    def whole(self) -> Timeouts:
        """For a whole answer, whose head comes when all of it is written."""
        return self._with_first_byte(self.total_seconds)

    def _with_first_byte(self, seconds: float) -> Timeouts:
        return Timeouts(
            connect_seconds=self.connect_seconds,
            first_byte_seconds=seconds,
            silence_seconds=self.silence_seconds,
            total_seconds=self.total_seconds,
        )


class RetryConfig(BaseModel):
    """How often a call is tried, and how long is waited between.

    `attempts` counts the first one. A vendor's `Retry-After` above `max_delay_seconds` is not
    waited for.
    """

    model_config = FORM

    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    first_delay_seconds: Seconds = 0.5
    max_delay_seconds: Seconds = 8


class CooldownConfig(BaseModel):
    """After how many failures in a row a deployment is left alone, and for how long.

    The time doubles with each probe that fails, up to `max_seconds`.
    """

    model_config = FORM

    failures: Annotated[int, Field(ge=1)] = 3
    seconds: Seconds = 30
    max_seconds: Seconds = 300


class ModelConfig(BaseModel):
    """One model of a provider. `timeouts` replaces single values of the provider's."""

    model_config = FORM

    kind: Literal["chat", "embedding"] = "chat"
    price: Price | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    languages: list[Literal["zh", "en"]] | None = None  # None: both
    max_passages: Annotated[int, Field(ge=1)] | None = None  # None: all that were found
    context_tokens: Annotated[int, Field(ge=256)] | None = None  # None: prompts are not trimmed
    timeouts: TimeoutConfig | None = None


class ProviderConfig(BaseModel):
    """One provider as config/models.yaml describes it, its variables filled in."""

    model_config = FORM

    adapter: AdapterName
    base_url: str
    api_key: str | None = None  # None: the provider needs no key; "": its variable is not set
    api_keys: tuple[str, ...] = ()  # all that there are, `api_key` being the first of them
    key_variable: str | None = None
    default_model: str | None = None
    models: dict[str, ModelConfig] = {}
    any_model: bool = False
    headers: dict[str, str] = {}
    timeouts: TimeoutConfig = TimeoutConfig()
    retry: RetryConfig = RetryConfig()
    cooldown: CooldownConfig = CooldownConfig()
    stream_usage: bool = True
    native_base_url: str | None = None
    app_id: str | None = None
    app_id_variable: str | None = None
    incremental_output: bool = True

    @field_validator("base_url", "native_base_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None:
            parse_url(value)
        return value

    @field_validator("api_key", "api_keys", "headers")
    @classmethod
    def _fits_a_header(cls, value: Any) -> Any:
        several = isinstance(value, tuple)
        texts = value.items() if isinstance(value, dict) else [value if several else (value or "",)]
        for text in (part for pair in texts for part in pair):
            if not text.isascii() or not text.isprintable():
                raise ValueError("must be printable ASCII, without line breaks")
        return value

    @field_validator("models", mode="before")
    @classmethod
    def _empty_entries(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: entry or {} for name, entry in value.items() if name}
        return value


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. What was read from a cache and what was written to it are parts of the
    input, reasoning is a part of the output."""

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0


@dataclass(slots=True)
class Outcome:
    """What is known of an answer after it was read, or of the part that was."""

    usage: Usage | None = None
    model: str | None = None
    finish_reasons: list[str] = field(default_factory=list)
    pieces: int = 0  # how many pieces of text: about one token each


class StreamReader(Protocol):
    """Reads one stream of a vendor and gives what the caller is to see.

    `began`: the first real output has been seen (nothing is given before). `alive`: the last bytes
    held data, not only comments. `ended`: the proper end has been seen. `failure`: the stream
    reported an error or made no sense; what came before it has been given.
    """

    began: bool
    alive: bool
    ended: bool
    failure: TrivetError | None

    def feed(self, data: bytes) -> bytes: ...
    def close(self) -> bytes:
        """The upstream has ended: what is left to send; sets `failure` on a truncated stream."""

    def outcome(self) -> Outcome: ...


class Dialect(Protocol):
    """How one call's answer is to be read."""

    def stream(self) -> StreamReader: ...
    def whole(self, body: bytes) -> tuple[bytes, Outcome]:
        """The caller's body. Raises UpstreamError for one that makes no sense."""

    def error(self, status: int, headers: Mapping[bytes, bytes], body: bytes) -> TrivetError: ...


@dataclass(slots=True)
class VendorSession:
    """A conversation that the vendor keeps: `known` is its id so far, `told` the answer's."""

    known: str | None = None
    told: str | None = None


@dataclass(slots=True)
class Ask:
    """A chat on its way to a provider.

    `body` is OpenAI-shaped and is not to be changed: another provider may get it next.
    """

    body: dict[str, Any]
    model: str
    stream: bool
    request_id: str
    wants_usage: bool = False  # the caller asked for a usage chunk in the stream
    extra: dict[str, Any] | None = None  # goes into the first chunk, or into the message
    session: VendorSession | None = None  # where the caller's `X-Session-ID` stands for one


@dataclass(slots=True)
class Prepared:
    """A call that is ready to be made."""

    request: Request
    dialect: Dialect
    timeouts: TimeoutConfig
    body_bytes: int


class Provider(Protocol):
    """One vendor with one key, configured. Stateless: made anew when models.yaml changes."""

    name: str
    config: ProviderConfig

    def require_key(self) -> None:
        """Raises NotFound, naming the variable to set, when the provider has no key."""

    def chat(self, ask: Ask) -> Prepared: ...


def missing_variable(config: ProviderConfig) -> str | None:
    """The variable that must be set before this provider can be used."""
    if config.api_key == "":
        return config.key_variable or "its api_key"
    if config.adapter == "dashscope_app" and not config.app_id:
        return config.app_id_variable or "its app_id"
    return None


def require_key(name: str, config: ProviderConfig) -> None:
    """Raises NotFound when the provider's key is not set."""
    if config.api_key == "":
        variable = config.key_variable or "its api_key"
        raise NotFound(f"Provider {name} is not configured: set {variable}.", provider=name)
