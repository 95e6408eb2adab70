"""What is known of one request, from its first byte to its line in the access log."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import uuid_utils
from starlette.types import Scope

from services.kernel.auth import VISITOR, Caller
from services.kernel.rendering import CONTRACT, ErrorForm
from services.kernel.visitor import DailySalt

CAUSE_HEADER = "X-Trivet-Cause"  # neighbours tell each other by it why they call
_CAUSE = CAUSE_HEADER.lower().encode()  # as ASGI has it
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
_WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_SESSION_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


@dataclass(slots=True)
class RequestContext:
    """Lies in `scope["trivet"]`. `log_fields` go into the request's line of the access log,
    `response_headers` into the head of its answer."""

    request_id: str
    session_id: str | None
    client: str
    user_agent: bytes
    visitor_salt: DailySalt
    state: Any
    content_length: int = 0  # of the body, in bytes, as announced
    cause: str = ""  # why the call is made, as its caller says
    caller: Caller = VISITOR
    route: str = ""
    error_form: ErrorForm = CONTRACT
    log_fields: dict[str, object] = field(default_factory=dict)
    response_headers: Sequence[tuple[bytes, bytes]] = ()

    @property
    def visitor_id(self) -> str:
        """A stranger's id for one day: what tells strangers apart is hashed with the day's salt,
        never kept. That is a visitor's token, which stays while the address changes, else the
        address with the browser."""
        salt = self.visitor_salt.of(datetime.now(UTC).date())
        digest = hashlib.blake2b(digest_size=12, key=salt)
        if self.caller.visitor is not None:
            digest.update(f"token\0{self.caller.id}\0{self.caller.visitor}".encode())
        else:
            digest.update(b"\0".join((self.client.encode(), self.user_agent)))
        return digest.hexdigest()


def context_of(scope: Scope, state: Any, visitor_salt: DailySalt) -> RequestContext:
    """The context of a request: ids from its headers where well formed, else made."""
    headers = dict(scope["headers"])
    forwarded = headers.get(b"x-real-ip")
    length = headers.get(b"content-length", b"")
    peer = scope["client"][0] if scope.get("client") else ""
    return RequestContext(
        request_id=_matching(_WELL_FORMED, headers.get(b"x-request-id")) or new_request_id(),
        session_id=_matching(_SESSION_ID, headers.get(b"x-session-id")),
        client=forwarded.decode("latin-1") if forwarded and _is_local(peer) else peer,
        user_agent=headers.get(b"user-agent", b""),
        visitor_salt=visitor_salt,
        state=state,
        content_length=int(length) if length.isdigit() else 0,
        cause=headers.get(_CAUSE, b"").decode("latin-1"),
    )


def new_request_id() -> str:
    """An id for a request that brought none."""
    return uuid_utils.uuid7().hex  # rising: analytics writes its index of them in order


def _matching(pattern: re.Pattern[bytes], value: bytes | None) -> str | None:
    return value.decode("ascii") if value and pattern.fullmatch(value) else None


def _is_local(peer: str) -> bool:
    """Only nginx, on this machine, may say who the client is."""
    return peer.startswith("127.") or peer == "::1"
