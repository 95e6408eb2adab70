"""The part of kb's route table that is about poems. All of it is neighbours' and the
administrator's: workflows read poems and store what they made of them."""

from __future__ import annotations

from services.kb.poems import handlers
from services.kernel.auth import Access
from services.kernel.routing import Handler, Operation, operation

_POEMS = "/api/v1/poems"
_POEM = f"{_POEMS}/{{poem_id}}"
_TRANSLATION = f"{_POEM}/translations/{{translation_id}}"
_BRIEFING = f"{_POEM}/briefings/{{briefing_id}}"


def operations() -> list[Operation]:
    """Fixed paths come before patterns, as the router tries one after the other."""
    return [
        _row("GET", f"{_POEMS}/statistics", handlers.get_statistics),
        _row("GET", f"{_POEMS}/briefings/{{briefing_id}}", handlers.get_briefing),
        _row("GET", _POEMS, handlers.list_poems),
        _row("POST", _POEMS, handlers.create_poem, 201),
        _row("GET", _POEM, handlers.get_poem),
        _row("PATCH", _POEM, handlers.change_poem),
        _row("DELETE", _POEM, handlers.delete_poem, 204),
        _row("GET", f"{_POEM}/translations", handlers.list_translations),
        _row("POST", f"{_POEM}/translations", handlers.create_translation, 201),
        _row("GET", _TRANSLATION, handlers.get_translation),
        _row("PATCH", _TRANSLATION, handlers.change_translation),
        _row("DELETE", _TRANSLATION, handlers.delete_translation, 204),
        _row("GET", f"{_POEM}/briefings", handlers.list_briefings),
        _row("POST", f"{_POEM}/briefings", handlers.create_briefing, 201),
        _row("GET", _BRIEFING, handlers.get_briefing_of_poem),
        _row("DELETE", _BRIEFING, handlers.delete_briefing, 204),
    ]


def _row(method: str, path: str, handler: Handler, status: int = 200) -> Operation:
    return operation(method, path, handler, access=Access.NEIGHBOUR, status=status)
