"""Who may chat, with what, and how much.

The administrator and the neighbours are outside all limits. Applications and publishable keys have
the limits of their keys. Strangers are counted per address, an IPv6 one by its /64, which is what a
household gets; so are the visitors of a publishable key, beside their own and the key's limits.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from services.kernel.auth import CHALLENGE
from services.kernel.context import RequestContext
from services.kernel.errors import PermissionDenied, RateLimited, Unauthenticated
from services.llm_proxy.assistants import PREFIX
from services.llm_proxy.estimate import expected_tokens
from services.llm_proxy.keys.book import Book
from services.llm_proxy.keys.key import Key
from services.llm_proxy.keys.reach import affordable, reached
from services.llm_proxy.limits import Claim, Grant, Limiter, Limits, Refusal, Room
from services.llm_proxy.record import Record
from services.llm_proxy.target import Target

Anonymous = Literal["all", "assistants", "off"]
_VISITS_PER_MINUTE = 30  # exchanges of a publishable key, or opinions, from one address
_MONEY = {
    "daily_budget": ("daily_usd", "today", "midnight UTC"),
    "monthly_budget": ("monthly_usd", "this month", "the first of the next month"),
}


class Gate:
    """Lets callers in, or raises Unauthenticated, PermissionDenied, RateLimited."""

    def __init__(
        self,
        limiter: Limiter,
        book: Book,
        anonymous: Anonymous,
        *,
        chats_per_minute: int,
        logins_per_minute: int,
    ) -> None:
        self.anonymous = anonymous
        self._limiter = limiter
        self._book = book
        self._chats = Limits(requests_per_minute=chats_per_minute)
        self._logins = Limits(requests_per_minute=logins_per_minute)
        self._visits = Limits(requests_per_minute=_VISITS_PER_MINUTE)

    # -- how much ---------------------------------------------------------------------------------

    async def admit_chat(
        self,
        context: RequestContext,
        record: Record,
        body: Mapping[str, Any],
        *,
        assistant: str | None = None,
    ) -> None:
        """Counts a chat with an assistant, or directly with a model; `record` will settle it."""
        if is_trusted(context):
            return
        key = self._key_of(context)
        if key is None:
            self.require_open(assistant=assistant is not None)
            claims: Sequence[Claim] = (self._address(context, self._chats, "chat"),)
        elif key.kind == "application":
            claims = (key.claim,)
        else:
            claims = self._publishable(key, context, assistant)
        tokens = expected_tokens(body) if any(_counts_tokens(claim) for claim in claims) else 0
        record.grant = await self._admit(claims, context, tokens)
        record.key_id = key.id if key is not None else None

    async def admit_login(self, context: RequestContext) -> None:
        """An attempt to log in, which a guesser would like to make often."""
        await self._admit((self._address(context, self._logins, "login"),), context)

    async def admit_visitor(self, context: RequestContext) -> None:
        """An exchange of a publishable key for a visitor's token."""
        await self._admit((self._address(context, self._visits, "visit"),), context)

    async def admit_feedback(self, context: RequestContext) -> None:
        """An opinion on an answer."""
        await self._admit((self._address(context, self._visits, "feedback"),), context)

    async def _admit(
        self, claims: Sequence[Claim], context: RequestContext, tokens: int = 0
    ) -> Grant:
        answer = await self._limiter.admit(claims, tokens)
        if isinstance(answer, Refusal):
            raise _refused(answer)
        headers: list[tuple[bytes, bytes]] = []
        if answer.requests_room is not None:
            headers += _room_headers(b"requests", answer.requests_room)
        if answer.tokens_room is not None:
            headers += _room_headers(b"tokens", answer.tokens_room)
        context.response_headers = headers
        return answer

    def _publishable(
        self, key: Key, context: RequestContext, assistant: str | None
    ) -> tuple[Claim, ...]:
        if assistant != key.assistant:
            name = f"{PREFIX}{key.assistant}"
            raise PermissionDenied(f"The key may only be used with {name}.", param="model")
        visitor = context.caller.visitor or f"address:{_network(context.client)}"
        address = self._address(context, self._chats, "chat")
        return (key.claim, Claim(f"visitor:{key.id}:{visitor}", key.visitor_limits), address)

    def _address(self, context: RequestContext, limits: Limits, what: str) -> Claim:
        return Claim(f"{what}:{_network(context.client)}", limits)

    # -- with what --------------------------------------------------------------------------------

    def require_open(self, *, assistant: bool) -> None:
        """Raises Unauthenticated where strangers are not served."""
        if self.anonymous == "off" or (self.anonymous == "assistants" and not assistant):
            what = "This call" if self.anonymous == "off" else "A chat with a model"
            raise Unauthenticated(f"{what} needs a credential.", headers=CHALLENGE)

    def require_assistant(self, context: RequestContext, name: str) -> None:
        """Raises PermissionDenied where a key does not reach `assistant/NAME`."""
        key = self._key_of(context)
        if key is not None and key.kind == "application" and not key.allows(name):
            raise PermissionDenied("The key does not allow this assistant.", param="model")

    def reachable(self, context: RequestContext, asked: object, target: Target) -> Target:
        """`target` as far as the caller's key reaches. Raises PermissionDenied."""
        key = self._key_of(context)
        return target if key is None else reached(key, asked, target)

    def affordable(self, context: RequestContext, target: Target) -> Target:
        """The same for what an assistant asks in the caller's name, which its key's models do not
        concern but its budget does. Raises PermissionDenied."""
        key = self._key_of(context)
        return target if key is None else affordable(key, target)

    def lists(self, context: RequestContext, name: str) -> bool:
        """Whether a caller is told of a model or of an assistant."""
        if is_trusted(context):
            return True
        key = self._key_of(context)
        if key is None:
            return self.anonymous == "all" or name.startswith(PREFIX)
        if key.kind == "publishable":
            return name == f"{PREFIX}{key.assistant}"
        return key.allows(name)

    def _key_of(self, context: RequestContext) -> Key | None:
        caller = context.caller
        return self._book.by_id.get(caller.id) if caller.id != caller.kind else None


def is_trusted(context: RequestContext) -> bool:
    """Whether the caller stands outside all limits."""
    return context.caller.kind in ("administrator", "neighbour")


def knows_all_models(context: RequestContext) -> bool:
    """Whether the caller may use models of a provider's account that models.yaml does not list."""
    return context.caller.kind != "visitor"


def _counts_tokens(claim: Claim) -> bool:
    return claim.limits.tokens_per_minute is not None


def _refused(refusal: Refusal) -> RateLimited:
    wait_seconds = max(1, math.ceil(refusal.retry_after_seconds))
    message, param, headers = _words(refusal), None, {}
    if refusal.kind in ("requests", "tokens"):
        room = Room(_limit_of(refusal), 0, wait_seconds)
        pairs = _room_headers(refusal.kind.encode(), room)
        headers = {name.decode(): value.decode() for name, value in pairs}
    elif refusal.kind in _MONEY:
        param = "budget"
    return RateLimited(message, retry_after_seconds=wait_seconds, param=param, headers=headers)


def _words(refusal: Refusal) -> str:
    kind, _, _ = refusal.claim.subject.partition(":")
    whose = {"key": "this key", "visitor": "this visitor"}.get(kind, "your address")
    if refusal.kind == "requests":
        what = "attempts" if kind == "login" else "chats"
        return f"More than {_limit_of(refusal)} {what} a minute came from {whose}."
    if refusal.kind == "tokens":
        return f"More than {_limit_of(refusal)} tokens a minute were asked for by {whose}."
    if refusal.kind == "concurrent":
        return f"{refusal.claim.limits.concurrent} calls of {whose} run already."
    field, when, again = _MONEY[refusal.kind]
    budget = getattr(refusal.claim.limits, field)
    return f"The budget of {whose}, {budget:g} USD, is used up {when}; it begins anew at {again}."


def _limit_of(refusal: Refusal) -> int:
    limits = refusal.claim.limits
    requests = refusal.kind == "requests"
    return (limits.requests_per_minute if requests else limits.tokens_per_minute) or 0


def _room_headers(what: bytes, room: Room) -> list[tuple[bytes, bytes]]:
    """How much is left, as OpenAI names it; the reset in whole seconds."""
    return [
        (b"x-ratelimit-limit-" + what, b"%d" % room.limit),
        (b"x-ratelimit-remaining-" + what, b"%d" % room.remaining),
        (b"x-ratelimit-reset-" + what, b"%d" % math.ceil(room.reset_seconds)),
    ]


def _network(address: str) -> str:
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address, 64), strict=False))
    except ValueError:
        return address
