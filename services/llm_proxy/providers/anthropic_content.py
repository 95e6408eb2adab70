"""Messages of OpenAI's shape as Anthropic's: system apart, roles in turn, content in blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from services.kernel.errors import InvalidRequest

Block = dict[str, Any]
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w.=-]+)*;base64,", re.ASCII)
_SYSTEM = ("system", "developer")


def system_of(messages: Iterable[Mapping[str, Any]]) -> str | list[Block] | None:
    """What the system and the developer say: a text, or blocks where parts were sent."""
    said = [message.get("content") for message in messages if message["role"] in _SYSTEM]
    if all(isinstance(content, str) for content in said):
        return "\n\n".join(content for content in said if content) or None
    return [block for content in said for block in _blocks(content)] or None


def conversation(messages: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The other messages. Those of one side in a row are one: results of tools that were called
    together must stand together."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message["role"] in _SYSTEM:
            continue
        role = "assistant" if message["role"] == "assistant" else "user"
        content = _content(message)
        if not content:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] = [*_blocks(turns[-1]["content"]), *_blocks(content)]
        else:
            turns.append({"role": role, "content": content})
    return turns


def _content(message: Mapping[str, Any]) -> str | list[Block]:
    if message["role"] in ("tool", "function"):
        return [_tool_result(message)]
    content = message.get("content")
    if message["role"] != "assistant":
        return content if isinstance(content, str) else _blocks(content)
    thoughts, calls = _thinking(message), _tool_calls(message)
    if isinstance(content, str) and not thoughts and not calls:
        return content
    return [*thoughts, *_blocks(content), *calls]


def _blocks(content: Any) -> list[Block]:
    """Empty texts are left out: the vendor refuses them."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    if not isinstance(content, list):
        return []
    blocks = (_block(part) for part in content if isinstance(part, dict))
    return [block for block in blocks if block.get("type") != "text" or block.get("text")]


def _block(part: Mapping[str, Any]) -> Block:
    """One part of a message; what OpenAI does not know is Anthropic's own and stays as it is."""
    kind = part.get("type")
    if kind == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else image
        return {"type": "image", "source": _source(url), **_kept(part)}
    if kind == "file" and isinstance(part.get("file"), dict):
        data = part["file"].get("file_data")
        return {"type": "document", "source": _source(data), **_kept(part)}
    if kind == "refusal":
        return {"type": "text", "text": str(part.get("refusal") or "")}
    return dict(part)


def _kept(part: Mapping[str, Any]) -> Block:
    return {"cache_control": part["cache_control"]} if "cache_control" in part else {}


def _source(url: Any) -> dict[str, str]:
    """An address, or the bytes of a `data:` one."""
    if not isinstance(url, str) or not url:
        raise InvalidRequest("An image or a file needs its address.", param="messages")
    found = _DATA_URL.match(url)
    if found is None:
        return {"type": "url", "url": url}
    return {"type": "base64", "media_type": found[1], "data": url[found.end() :]}


def _thinking(message: Mapping[str, Any]) -> list[Block]:
    """Thoughts with their signatures, as we gave them: without these a tool's result is refused."""
    known = [block for block in _list(message, "thinking_blocks") if isinstance(block, dict)]
    return [{name: value for name, value in b.items() if name != "index"} for b in known]


def _tool_calls(message: Mapping[str, Any]) -> list[Block]:
    return [_tool_use(call) for call in _list(message, "tool_calls")]


def _tool_use(call: Any) -> Block:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        raise InvalidRequest("A tool call needs its function.", param="messages")
    try:
        given = orjson.loads(function.get("arguments") or "{}")
    except (orjson.JSONDecodeError, TypeError) as exc:
        raise InvalidRequest("A tool call's arguments are no JSON.", param="messages") from exc
    return {
        "type": "tool_use",
        "id": call.get("id"),
        "name": function.get("name"),
        "input": given if isinstance(given, dict) else {},
    }


def _tool_result(message: Mapping[str, Any]) -> Block:
    content = message.get("content")
    told = content if isinstance(content, str) else _blocks(content)
    named = message.get("tool_call_id") or message.get("name")
    return {"type": "tool_result", "tool_use_id": named, "content": told}


def _list(message: Mapping[str, Any], name: str) -> list[Any]:
    found = message.get(name)
    return found if isinstance(found, list) else []
