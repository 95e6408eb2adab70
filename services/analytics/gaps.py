"""Gaps: questions that mean the same and were not answered, the most pressing first.

Questions are put together by the embedder's vectors (the cosine of two questions), so that a gap in
Chinese may hold the same question in English. A question joins the nearest open gap, or begins one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import orjson
from sqlalchemy import Connection, Engine, select

from services.analytics.gap_models import Gap, GapQuestion
from services.analytics.gap_schemas import GapQuestionView, GapView
from services.analytics.models import table
from services.analytics.record import rfc3339
from services.kernel.database import read, write
from services.kernel.http_client import NeighbourClient

_gap = table(Gap)
_question = table(GapQuestion)
_MAX_TEXTS = 64  # in one call of the embedder
_HALF_LIFE_DAYS = 14.0
_DAY_US = 86_400_000_000
_MAX_SHOWN_QUESTIONS = 20
Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Embedded:
    """Vectors of length one, and the name of what made them: others cannot be compared."""

    vectors: npt.NDArray[np.float32]
    model_key: str


class Clusterer:
    """Puts new questions into gaps. `similarity`: the least cosine of questions that mean the
    same."""

    def __init__(self, engine: Engine, embedder: NeighbourClient, similarity: float) -> None:
        self._engine = engine
        self._embedder = embedder
        self._similarity = similarity

    def waiting(self) -> list[tuple[int, str]]:
        """(hash, text) of questions that are in no gap. Blocks."""
        alone = select(_question.c.hash, _question.c.text).where(_question.c.gap == 0)
        with read(self._engine) as connection:
            rows = connection.execute(alone.order_by(_question.c.hash).limit(_MAX_TEXTS))
            return [(row.hash, row.text) for row in rows]

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """Asks the embedder. Raises the contract's errors when it is away."""
        body = {"input": list(texts), "input_type": "query"}
        answer = (await self._embedder.request("POST", "/v1/embeddings", json=body)).json()
        rows = sorted(answer["data"], key=lambda item: item["index"])
        vectors = np.asarray([row["embedding"] for row in rows], dtype=np.float32)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return Embedded(vectors / np.maximum(norms, 1e-9), str(answer.get("model_key", "")))

    def assign(self, hashes: Sequence[int], embedded: Embedded, now_us: int) -> None:
        """Puts questions into their gaps. Blocks; one short transaction."""
        with write(self._engine) as connection:
            numbers, centres = _open_gaps(connection, embedded.model_key)
            for question, vector in zip(hashes, embedded.vectors, strict=True):
                nearest = int(np.argmax(np.stack(centres) @ vector)) if centres else -1
                if nearest >= 0 and float(centres[nearest] @ vector) >= self._similarity:
                    number = numbers[nearest]
                else:
                    number = _new_gap(connection, vector, embedded.model_key, now_us)
                    numbers.append(number)
                    centres.append(vector)
                connection.exec_driver_sql(
                    "UPDATE gap_question SET gap = ? WHERE hash = ?", (number, question)
                )


def _open_gaps(connection: Connection, model_key: str) -> tuple[list[int], list[Vector]]:
    fitting = select(_gap.c.id, _gap.c.centre).where(
        _gap.c.state != "answered", _gap.c.model_key == model_key
    )
    rows = connection.execute(fitting.order_by(_gap.c.id)).all()
    return [row.id for row in rows], [np.frombuffer(row.centre, np.float32) for row in rows]


def _new_gap(connection: Connection, centre: Vector, model_key: str, now_us: int) -> int:
    return int(
        connection.exec_driver_sql(
            "INSERT INTO gap (state, centre, model_key, created_us) VALUES ('open', ?, ?, ?) "
            "RETURNING id",
            (centre.tobytes(), model_key, now_us),
        ).scalar_one()
    )


def ranked(connection: Connection, state: str | None, now_us: int) -> list[GapView]:
    """All gaps (of one state), the most pressing first: how often asked, halved each two weeks."""
    by_gap: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(select(_question).where(_question.c.gap != 0)):
        by_gap[row.gap].append(row)
    wanted = select(_gap) if state is None else select(_gap).where(_gap.c.state == state)
    views = [_view(gap, by_gap.get(gap.id, []), now_us) for gap in connection.execute(wanted)]
    return sorted(views, key=lambda view: (-view.pressure, view.id))


def one(connection: Connection, number: int, now_us: int) -> GapView | None:
    """A gap by its number."""
    gap = connection.execute(select(_gap).where(_gap.c.id == number)).one_or_none()
    if gap is None:
        return None
    rows = connection.execute(select(_question).where(_question.c.gap == number)).all()
    return _view(gap, rows, now_us)


def count_unclustered(connection: Connection) -> int:
    statement = "SELECT count(*) FROM gap_question WHERE gap = 0"
    return int(connection.exec_driver_sql(statement).scalar_one())


def _view(gap: Any, rows: Sequence[Any], now_us: int) -> GapView:
    questions = [_question_view(row) for row in sorted(rows, key=_asked, reverse=True)]
    last_us = max((row.last_us for row in rows), default=gap.created_us)
    asked = sum(_asked(row) for row in rows)
    age_days = max(now_us - last_us, 0) / _DAY_US
    sums = {
        name: sum(getattr(row, name) for row in rows)
        for name in ("zero_hits", "low_scores", "thumbs_down", "refused")
    }
    return GapView(
        id=gap.id,
        state=gap.state,
        kind=_kind(sums),
        question=questions[0].text if questions else "",
        collection=next((row.collection for row in rows if row.collection), None),
        asked=asked,
        **sums,
        last_asked=rfc3339(last_us),
        pressure=round(asked * 0.5 ** (age_days / _HALF_LIFE_DAYS), 4),
        questions=questions[:_MAX_SHOWN_QUESTIONS],
        answered_at=None if gap.answered_us is None else rfc3339(gap.answered_us),
        source=gap.source,
        replay=orjson.loads(gap.report) if gap.report else [],
    )


def _question_view(row: Any) -> GapQuestionView:
    return GapQuestionView(
        text=row.text,
        asked=_asked(row),
        zero_hits=row.zero_hits,
        low_scores=row.low_scores,
        thumbs_down=row.thumbs_down,
        refused=row.refused,
        last_asked=rfc3339(row.last_us),
    )


def _asked(row: Any) -> int:
    """A question to an assistant is a search, too: it is one asking."""
    return int(max(row.zero_hits + row.low_scores, row.refused, row.thumbs_down))


def _kind(sums: dict[str, int]) -> Literal["missing", "weak", "unhelpful"]:
    """Why: nothing is there, or only weak passages, or what is there did not help."""
    if sums["zero_hits"] + sums["refused"] >= sums["low_scores"] + sums["thumbs_down"]:
        return "missing"
    return "weak" if sums["low_scores"] >= sums["thumbs_down"] else "unhelpful"


def golden_lines(connection: Connection) -> bytes:
    """Each question of an answered gap with the document that answers it: what `trivet evaluate`
    reads."""
    answered = (
        select(_question.c.text, _gap.c.source)
        .join(_gap, _gap.c.id == _question.c.gap)
        .where(_gap.c.state == "answered")
        .order_by(_gap.c.id, _question.c.hash)
    )
    rows = connection.execute(answered).all()
    return b"".join(
        orjson.dumps(
            {"query": row.text, "relevant": [row.source]}, option=orjson.OPT_APPEND_NEWLINE
        )
        for row in rows
    )
