"""`/api/llm/keys/{key_id}/usage`: a key's limits, and how much of them is used right now."""

from __future__ import annotations

from anyio import to_thread
from pydantic import BaseModel, Field

from services.kernel.routing import Call
from services.llm_proxy.keys.key import key_of
from services.llm_proxy.limits.usage import used_now
from services.llm_proxy.state import State


class KeyUsage(BaseModel):
    """Over all instances. Null: not counted, since the key has no such limit."""

    requests_last_minute: int | None
    tokens_last_minute: int | None = Field(description="What runs now is expected, not known.")
    running: int | None


async def show_usage(call: Call[State]) -> KeyUsage:
    """How much of a key's limits is used at this moment"""
    state, key_id = call.state, call.path["key_id"]
    row = await to_thread.run_sync(state.keyring.store.one, key_id)
    if row.kind == "provider":
        return KeyUsage(requests_last_minute=None, tokens_last_minute=None, running=None)
    claim = key_of(row).claim
    used, limits = await used_now(state.counts, claim.subject), claim.limits
    return KeyUsage(
        requests_last_minute=used.requests,
        tokens_last_minute=None if limits.tokens_per_minute is None else used.tokens,
        running=None if limits.concurrent is None else used.running,
    )
