"""`/api/v1/poems`: poems, and what people and workflows make of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection
from starlette.responses import Response

from services.kb.poems import briefing, poem, translation
from services.kb.poems.schemas import (
    BriefingsQuery,
    BriefingView,
    NewBriefing,
    NewPoem,
    NewTranslation,
    PoemPatch,
    PoemsQuery,
    PoemView,
    TranslationPatch,
    TranslationsQuery,
    TranslationView,
)
from services.kb.poems.statistics import statistics
from services.kb.poems.statistics_schemas import PoemStatistics, StatisticsQuery
from services.kb.state import State
from services.kernel.routing import Call

T = TypeVar("T")


async def list_poems(call: Call[State], query: PoemsQuery) -> list[PoemView]:
    """Lists poems, newest first"""
    return await call.state.database.read(lambda c: poem.page(c, query))


async def create_poem(call: Call[State], body: NewPoem) -> PoemView:
    """Stores a poem; HTML tags are removed, all else is kept byte for byte"""
    return await _written(call, lambda c: poem.create(c, body))


async def get_poem(call: Call[State]) -> PoemView:
    """A poem"""
    return await call.state.database.read(lambda c: poem.get(c, call.path["poem_id"]))


async def change_poem(call: Call[State], body: PoemPatch) -> PoemView:
    """Changes a poem, or selects it; what is not given stays"""
    values = body.model_dump(exclude_none=True)
    return await _written(call, lambda c: poem.change(c, call.path["poem_id"], values))


async def delete_poem(call: Call[State]) -> Response:
    """Deletes a poem with its translations and briefings"""
    poem_id = call.path["poem_id"]

    return await _forgotten(call, await _written(call, lambda c: poem.remove(c, poem_id)))


async def list_translations(call: Call[State], query: TranslationsQuery) -> list[TranslationView]:
    """Lists a poem's translations, newest first"""
    poem_id = call.path["poem_id"]
    return await call.state.database.read(lambda c: translation.page(c, poem_id, query))


async def create_translation(call: Call[State], body: NewTranslation) -> TranslationView:
    """Stores a translation; the same `task_id` again gives back the first"""
    poem_id = call.path["poem_id"]
    return await _written(call, lambda c: translation.create(c, poem_id, body))


async def get_translation(call: Call[State]) -> TranslationView:
    """A translation"""
    poem_id, translation_id = call.path["poem_id"], call.path["translation_id"]
    return await call.state.database.read(lambda c: translation.get(c, poem_id, translation_id))


async def change_translation(call: Call[State], body: TranslationPatch) -> TranslationView:
    """Rates a translation, notes something, or changes its text"""
    poem_id, translation_id = call.path["poem_id"], call.path["translation_id"]
    values = body.model_dump(exclude_none=True)
    if "quality_rating" in body.model_fields_set:
        values["quality_rating"] = body.quality_rating
    return await _written(call, lambda c: translation.change(c, poem_id, translation_id, values))


async def delete_translation(call: Call[State]) -> Response:
    """Deletes a translation"""
    poem_id, translation_id = call.path["poem_id"], call.path["translation_id"]
    source = await _written(call, lambda c: translation.remove(c, poem_id, translation_id))
    return await _forgotten(call, [source])


async def list_briefings(call: Call[State], query: BriefingsQuery) -> list[BriefingView]:
    """Lists a poem's background briefings, newest first"""
    poem_id = call.path["poem_id"]
    return await call.state.database.read(lambda c: briefing.page(c, poem_id, query))


async def create_briefing(call: Call[State], body: NewBriefing) -> BriefingView:
    """Stores a briefing; the same `task_id` again gives back the first"""
    poem_id = call.path["poem_id"]
    return await call.state.database.write(lambda c: briefing.create(c, poem_id, body))


async def get_briefing_of_poem(call: Call[State]) -> BriefingView:
    """A briefing of this poem"""
    poem_id, briefing_id = call.path["poem_id"], call.path["briefing_id"]
    return await call.state.database.read(lambda c: briefing.get_of(c, poem_id, briefing_id))


async def get_briefing(call: Call[State]) -> BriefingView:
    """A briefing, whichever poem it is of"""
    return await call.state.database.read(lambda c: briefing.get(c, call.path["briefing_id"]))


async def delete_briefing(call: Call[State]) -> Response:
    """Deletes a briefing"""
    poem_id, briefing_id = call.path["poem_id"], call.path["briefing_id"]
    await call.state.database.write(lambda c: briefing.remove(c, poem_id, briefing_id))
    return Response(status_code=204)


async def get_statistics(call: Call[State], query: StatisticsQuery) -> PoemStatistics:
    """Counts poems, translations and briefings, as they are now"""
    return await call.state.database.read(lambda c: statistics(c, query))


async def _written(call: Call[State], work: Callable[[Connection], T]) -> T:
    """A write that the index is to follow."""
    result = await call.state.database.write(work)
    call.state.indexer.wake()
    return result


async def _forgotten(call: Call[State], sources: Sequence[str]) -> Response:
    await call.state.poem_index.forget(sources)
    return Response(status_code=204)
