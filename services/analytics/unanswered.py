"""Questions that were not answered, one by one, for the range that a reader looks at.

Each is a row of the gaps' candidates, so it is redacted, bounded in number, and knows its gap. What
is counted is counted since a question first came: the range chooses by when it came last.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from services.analytics.gap_models import Gap, GapQuestion
from services.analytics.gap_schemas import (
    Reason,
    UnansweredAnswer,
    UnansweredQuery,
    UnansweredQuestion,
)
from services.analytics.models import BUCKET_US, table
from services.analytics.period import window
from services.analytics.record import rfc3339

_gap = table(Gap)
_question = table(GapQuestion)
_COLUMNS: dict[Reason, str] = {
    "zero_hit": "zero_hits",
    "low_score": "low_scores",
    "refused": "refused",
    "thumbs_down": "thumbs_down",
}


def unanswered(connection: Connection, query: UnansweredQuery, now: datetime) -> UnansweredAnswer:
    """Those that were last asked in the range, the most frequent for the reason first."""
    asked = window(query.days, query.tz, now)
    often = _question.c[_COLUMNS[query.reason]]
    wanted = (
        select(_question, often.label("often"), _gap.c.state)
        .outerjoin(_gap, _gap.c.id == _question.c.gap)
        .where(often > 0, _question.c.last_us >= asked.first * BUCKET_US)
        .order_by(often.desc(), _question.c.last_us.desc(), _question.c.hash)
        .limit(query.limit)
    )
    return UnansweredAnswer(
        days=query.days,
        tz=query.tz,
        reason=query.reason,
        questions=[_view(row) for row in connection.execute(wanted)],
    )


def _view(row: Any) -> UnansweredQuestion:
    return UnansweredQuestion(
        text=row.text,
        count=row.often,
        collection=row.collection,
        last_asked=rfc3339(row.last_us),
        gap_id=row.gap or None,
        gap_state=row.state,
    )
