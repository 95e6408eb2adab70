"""A model that writes what the pictures need: OpenAI's interface, answers written here."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

BACKUP = {
    "en": """Stop Trivet, copy one folder, and start it again [1]:

```sh
make stop
cp -a data /backup/trivet-data
make run
```

The folder `data/` holds **everything that cannot be made again**: the databases, the tokens and \
the events that wait [2]. Copy `.env` as well.
""",
    "zh": """先停止 Trivet，复制一个目录，再启动 [1]：

```sh
make stop
cp -a data /backup/trivet-data
make run
```

`data/` 目录里是**所有无法重新生成的内容**：数据库、令牌，以及等待发送的事件 [2]。也请复制 `.env`。
""",
}
_ANSWERS = [
    (r"back up|backup", BACKUP["en"]),
    (r"备份", BACKUP["zh"]),
    (r"ports", "Trivet is reached through nginx on port **8740** [1]; all else listens locally."),
    (r"端口", "Trivet 通过 nginx 的 **8740** 端口对外服务 [1]，其余端口只在本机监听。"),
    (r"What is Trivet", "Trivet is an AI chat for websites on one machine, in three services [1]."),
    (r"Trivet 是什么", "Trivet 是运行在一台机器上的网站 AI 聊天系统，由三个服务组成 [1]。"),
    (r"Doubao", "Put `DOUBAO_API_KEY` into `.env` and run `make run` again [1]."),
    (r"豆包", "在 `.env` 中填写 `DOUBAO_API_KEY`，然后再次运行 `make run` [1]。"),
]
_BRIEFING = {
    "summary": "A traveller wakes at night, takes moonlight for frost, and thinks of home.",
    "cultural_context": "The full moon stands for the family gathered in one place; whoever sees "
    "it far from home misses them. Every child in China learns these lines.",
    "form_and_style": "Four lines of five characters, in plain words, rhymed on the first, second "
    "and fourth line.",
    "challenges": [
        "床 has been read as a bed, a bench and the rim of a well.",
        "The raised and the lowered head are one movement.",
        "Plain words must stay plain.",
    ],
}
_REVIEW = """1. "Pool of light" adds an image that the poem does not have; keep the moonlight bare.
2. Lines three and four answer one another: raise, lower. Let both begin with the verb.
3. The rhyme may go; the five beats of each line should not.
"""
_DRAFT = """<title>Thoughts on a Quiet Night</title>
<translation>Before my bed, a pool of light:
I take it for the frost of night.
I raise my head and see the moon,
and bow it, missing home so soon.</translation>
<notes>A first draft in rhyme.</notes>"""
_REVISED = """<title>Quiet Night Thoughts</title>
<translation>Before my bed the moon shines bright;
I wonder, is it frost, this light?
Lifting my head, I watch the moon;
bowing it low, I think of home.</translation>
<notes>The moonlight stands bare; both last lines begin with the movement.</notes>"""


@dataclass
class Writer:
    """It thinks for a moment and writes word by word; long pauses show a text half written."""

    pause_seconds: float = 0.02
    first_seconds: float = 0.4

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/chat/completions", self._chat, methods=["POST"]),
                Route("/models", self._models),
            ]
        )

    async def _models(self, _request: Request) -> Response:
        return JSONResponse({"object": "list", "data": []})

    async def _chat(self, request: Request) -> Response:
        body = json.loads(await request.body())
        text = written(body)
        usage = {"prompt_tokens": 412, "completion_tokens": len(text) // 3}
        usage["total_tokens"] = sum(usage.values())
        head = {"id": "c1", "created": 1, "model": body.get("model", "")}
        if not body.get("stream"):
            message = {"role": "assistant", "content": text}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            whole = {"object": "chat.completion", "choices": choices, "usage": usage}
            return JSONResponse({**head, **whole})
        head["object"] = "chat.completion.chunk"
        return StreamingResponse(self._stream(head, text, usage), media_type="text/event-stream")

    async def _stream(
        self, head: dict[str, Any], text: str, usage: dict[str, int]
    ) -> AsyncIterator[bytes]:
        await asyncio.sleep(self.first_seconds)
        for word in re.findall(r"\s*\S+\s*", text):
            yield _event({**head, "choices": [_choice({"content": word})]})
            await asyncio.sleep(self.pause_seconds)
        yield _event({**head, "choices": [_choice({}, "stop")]})
        yield _event({**head, "choices": [], "usage": usage})
        yield b"data: [DONE]\n\n"


def written(body: dict[str, Any]) -> str:
    """What is written, by what is asked for."""
    asked = str(body["messages"][-1]["content"])
    if "Write a briefing" in asked:
        return json.dumps(_BRIEFING, ensure_ascii=False)
    if "Compare this translation" in asked:
        return _REVIEW
    if "Revise your translation" in asked:
        return _REVISED
    if "<translation>" in asked:
        return _DRAFT
    question = re.split(r"Question: |问题：", asked)[-1]
    for words, answer in _ANSWERS:
        if re.search(words, question, re.IGNORECASE):
            return answer
    return "资料里没有答案，我不知道。" if re.search(r"[一-鿿]", question) else "I do not know."


def _choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _event(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
