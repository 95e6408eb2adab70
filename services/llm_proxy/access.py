"""Who may chat, and how often strangers may.

The administrator and the neighbours are outside all limits. Strangers are counted per address, an
IPv6 one by its /64, which is what a household gets.
"""

from __future__ import annotations

import ipaddress
import time
from typing import Literal

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from services.kernel.auth import CHALLENGE
from services.kernel.context import RequestContext
from services.kernel.errors import RateLimited, Unauthenticated

Anonymous = Literal["all", "assistants", "off"]


class Gate:
    """Lets callers in or raises Unauthenticated, RateLimited. Counts within this process."""

    def __init__(self, anonymous: Anonymous, *, chats_per_minute: int, logins_per_minute: int):
        self.anonymous = anonymous
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._chats = RateLimitItemPerMinute(chats_per_minute, namespace="chat")
        self._logins = RateLimitItemPerMinute(logins_per_minute, namespace="login")

    def admit_chat(self, context: RequestContext, *, assistant: bool) -> None:
        """A chat with an assistant, or directly with a model."""
        if is_trusted(context):
            return
        self.require_open(assistant=assistant)
        self._hit(self._chats, context, "chats")

    def require_open(self, *, assistant: bool) -> None:
        """Raises Unauthenticated where strangers are not served."""
        if self.anonymous == "off" or (self.anonymous == "assistants" and not assistant):
            what = "This call" if self.anonymous == "off" else "A chat with a model"
            raise Unauthenticated(f"{what} needs a credential.", headers=CHALLENGE)

    def admit_login(self, context: RequestContext) -> None:
        """An attempt to log in, which a guesser would like to make often."""
        self._hit(self._logins, context, "attempts")

    def _hit(self, item: RateLimitItemPerMinute, context: RequestContext, what: str) -> None:
        address = _network(context.client)
        if self._limiter.hit(item, address):
            return
        reset = self._limiter.get_window_stats(item, address).reset_time
        raise RateLimited(
            f"More than {item.amount} {what} a minute came from your address.",
            retry_after_seconds=max(1.0, reset - time.time()),
        )


def is_trusted(context: RequestContext) -> bool:
    """Whether the caller stands outside all limits."""
    return context.caller.kind in ("administrator", "neighbour")


def _network(address: str) -> str:
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address, 64), strict=False))
    except ValueError:
        return address
