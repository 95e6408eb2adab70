"""A database of analytics as a busy site would have it after half a year, written by the product's
own writer. Only the way over HTTP is left out: that is measured by itself.

The distribution: chats, the searches that assistants made for them, searches of visitors, votes.
Questions repeat as people's do (a Pareto tail), conversations have some eight records, one in
twenty chats fails, some models are rare. Everything follows from the seed.
"""

import os
import random
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy.event import listen

from services.analytics.database import open_database
from services.analytics.intake import Record
from services.analytics.models import Kind
from services.analytics.settings import Settings
from services.analytics.storage import EventStore
from services.kernel.database import write

DAYS = 180
BATCH = 2_000
SEED = 20261122
_CACHE_KIB = 512 * 1024
_WAL_PAGES = 50_000
_WORDS = (
    *(
        "备份",
        "恢复",
        "数据",
        "如何",
        "模型",
        "安装",
        "价格",
        "部署",
        "日志",
        "密钥",
        "退款",
        "发票",
    ),
    *("backup", "stream", "nginx", "token", "cost", "install", "reload", "search"),
)
_MODELS = tuple(
    (provider, f"{provider}-{size}")
    for provider in ("doubao", "dashscope", "local", "deepseek")
    for size in ("large", "small", "mini")
)
_WEIGHTS = (40, 20, 10, 10, 5, 5, 3, 2, 2, 1, 1, 0.01)  # the last one is rare
_ERRORS = (("proxy_error", 502), ("rate_limit_error", 429), ("timeout_error", 504))


class Maker:
    """Makes records of a given time; `text`: whether they hold questions."""

    def __init__(self, *, text: bool, seed: int = SEED) -> None:
        self._random = random.Random(seed)
        self._text = text
        self._questions = [self._question() for _ in range(20_000)] if text else []
        self._made = 0

    def record(self, time_us: int) -> Record:
        self._made += 1
        kind = self._random.random()
        if kind < 0.55:
            return self._chat(time_us)
        return self._search(time_us) if kind < 0.97 else self._vote(time_us)

    def _question(self) -> str:
        return "".join(self._random.choices(_WORDS, k=4))

    def _asked(self) -> str | None:
        """Of all questions half are old ones, and of these some are asked far more often."""
        if not self._text:
            return None
        if self._random.random() < 0.5:
            return f"{self._question()} {self._made}"
        return self._questions[int(self._random.paretovariate(0.7)) % len(self._questions)]

    def _common(self, time_us: int, kind: Kind) -> dict[str, object]:
        return {
            "id": uuid7(time_us),
            "time_us": time_us,
            "kind": int(kind),
            "request_id": uuid7(time_us),  # ids rise as those of nginx and the kernel do
            "session": f"conversation-{self._made // 8:012d}",
            "visitor_id": os.urandom(12),
            "extra": None,
        }

    def _chat(self, time_us: int) -> Record:
        draw = self._random
        provider, model = draw.choices(_MODELS, _WEIGHTS)[0]
        failed = draw.random() < 0.05
        error, status = draw.choice(_ERRORS) if failed else (None, 200)
        reason = "error" if failed else "complete"
        stream, fallback = draw.random() < 0.9, "doubao" if draw.random() < 0.01 else None
        assistant = "site" if draw.random() < 0.8 else None
        finish, cached = ("stop", None) if not failed else (None, None)
        return Record(
            **self._common(time_us, Kind.chat),  # type: ignore[arg-type]  # as above
            facet=(int(Kind.chat), "llm_proxy", provider, model, status, error, reason),
            trait=(
                *(model, assistant, finish, stream, "exact", None, None, None, None),
                *(fallback, 2 if fallback else 1, cached),
            ),
            duration_us=int(draw.lognormvariate(14, 1)),
            input_tokens=draw.randrange(2_000),
            output_tokens=draw.randrange(800),
            cost_nano_usd=draw.randrange(10**7),
            first_token_us=None if failed else int(draw.lognormvariate(12.5, 1)),
            text=self._asked(),
        )

    def _search(self, time_us: int) -> Record:
        draw = self._random
        cause = "assistant" if draw.random() < 0.7 else "user"
        found = 0 if draw.random() < 0.04 else draw.randrange(1, 5)
        return Record(
            **self._common(time_us, Kind.search),  # type: ignore[arg-type]  # as above
            facet=(int(Kind.search), "kb", None, None, None, None, None),
            trait=(*[None] * 5, "site", "hybrid", cause, 4, None, None, None),
            duration_us=int(draw.lognormvariate(10, 0.5)),
            total_found=found,
            top_score=round(draw.betavariate(9, 3), 4) if found else None,
            text=self._asked(),
        )

    def _vote(self, time_us: int) -> Record:
        rating = 1 if self._random.random() < 0.8 else -1
        return Record(
            **self._common(time_us, Kind.feedback),  # type: ignore[arg-type]  # as above
            facet=(int(Kind.feedback), "analytics", None, None, None, None, None),
            trait=(None,) * 12,
            duration_us=None,
            rating=rating,
            rated_request_id=os.urandom(16),
        )


def uuid7(time_us: int) -> bytes:
    """A UUID of version 7 of a given time (RFC 9562, 5.7)."""
    noise = bytearray(os.urandom(10))
    noise[0] = 0x70 | noise[0] & 0x0F
    noise[2] = 0x80 | noise[2] & 0x3F
    return (time_us // 1000).to_bytes(6, "big") + noise


def fill(folder: Path, events: int, *, text: bool = True) -> float:
    """Write so many events, evenly over the last half year; seconds that it took. What a power cut
    would leave is nobody's care here, so no commit waits for the disk."""
    database = open_database(Settings(data_dir=folder))
    listen(database.writing, "connect", _hurry)
    database.writing.dispose()  # the next connection is told
    store, maker = EventStore(), Maker(text=text)
    began = time.monotonic()
    for batch in batches(events, maker):
        with write(database.writing) as connection:
            store.add(connection, [batch])
    with closing(database.writing.raw_connection()) as raw:
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    took = time.monotonic() - began
    database.dispose()
    return took


def _hurry(connection: Any, _record: object) -> None:
    for pragma in (
        "synchronous=OFF",
        f"cache_size=-{_CACHE_KIB}",
        f"wal_autocheckpoint={_WAL_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def batches(events: int, maker: Maker) -> Iterator[list[Record]]:
    end = time.time_ns() // 1000 - 60_000_000
    span = DAYS * 86_400_000_000
    for start in range(0, events, BATCH):
        numbers = range(start, min(start + BATCH, events))
        yield [maker.record(end - span + span * number // events) for number in numbers]
