"""Wire types. They check what must hold and keep every field that they do not know.

The body that goes upstream is the caller's own dictionary, not a dump of these models.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr, model_validator

MAX_MESSAGES = 2048
Role = Literal["system", "developer", "user", "assistant", "tool", "function"]


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow", protected_namespaces=())


class Part(_Open):
    """One part of a message: text, image_url, input_audio, file, video_url …"""

    type: StrictStr


class Message(_Open):
    """One message of a chat."""

    role: Role
    content: StrictStr | list[Part] | None = None


class StreamOptions(_Open):
    include_usage: StrictBool | None = None


class ChatBody(_Open):
    """A chat in OpenAI's shape."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)]
    model: Annotated[StrictStr, Field(min_length=1, max_length=256)] | None = None
    stream: StrictBool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    n: Annotated[int, Field(ge=1, le=128)] | None = None
    session_id: Annotated[StrictStr, Field(max_length=256)] | None = None


class AssistantProfile(BaseModel):
    """What a chat page shows of an assistant; empty while kb cannot be reached."""

    assistant: str
    company_info: dict[str, Any]
    assistant_info: dict[str, Any]


class FeedbackBody(BaseModel):
    """An opinion on an answer; each one counts, the newest last."""

    request_id: Annotated[str, Field(min_length=1, max_length=128, description="Of the answer.")]
    rating: Literal["up", "down"]
    comment: Annotated[str, Field(max_length=2000)] | None = None


class FeedbackTaken(BaseModel):
    status: Literal["recorded"] = "recorded"


class DashScopeBody(_Open):
    """A body in DashScope's own shape, for an application or for text generation."""

    input: dict[str, Any]
    parameters: dict[str, Any] | None = None
    model: Annotated[StrictStr, Field(max_length=256)] | None = None  # the SDK sends ""
    stream: StrictBool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> DashScopeBody:
        prompt, messages = self.input.get("prompt"), self.input.get("messages")
        if prompt is not None and not isinstance(prompt, str):
            raise ValueError("input.prompt must be a text")
        if messages is not None and not isinstance(messages, list):
            raise ValueError("input.messages must be a list")
        if not (prompt or messages):
            raise ValueError("input needs a prompt or messages")
        return self


class DashScopeEmbeddingsBody(_Open):
    """Texts to be embedded, in DashScope's own shape."""

    input: dict[str, Any]
    model: Annotated[StrictStr, Field(min_length=1, max_length=256)]
    parameters: dict[str, Any] | None = None


class EmbeddingsBody(_Open):
    """Texts (or token lists) to be embedded."""

    input: Annotated[StrictStr, Field(min_length=1)] | Annotated[list[Any], Field(min_length=1)]
    model: Annotated[StrictStr, Field(min_length=1, max_length=256)] | None = None


class ModelItem(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class ModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[ModelItem]


class DeploymentItem(BaseModel):
    """One model with one key, counted from 1. `failures` came one after the other, up to now."""

    model: str
    key: int
    usable: bool
    cooling_down_until: datetime | None
    running: int
    failures: int
    reachable: bool | None
    last_error: str | None


class ProviderItem(BaseModel):
    """A provider as the administrator sees it. `reachable` is null before the first call."""

    name: str
    adapter: str
    configured: bool
    set_variable: str | None
    default_model: str | None
    models: list[str]
    reachable: bool | None
    last_error: str | None
    keys: int
    deployments: list[DeploymentItem]


class ProviderList(BaseModel):
    """As one instance sees them: each has made calls of its own."""

    instance: int
    items: list[ProviderItem]
    next_cursor: None = None


class SessionBody(BaseModel):
    token: Annotated[StrictStr, Field(min_length=1, max_length=512)]


class SessionInfo(BaseModel):
    role: Literal["administrator"]
