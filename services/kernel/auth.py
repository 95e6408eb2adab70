"""Who is calling: a visitor, an application, a neighbour or the administrator.

Tokens lie in `data/` with mode 0600. The console's session is a signed cookie; its key is derived
from the administrator's token, so that a new token ends all sessions and no session is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Literal

from itsdangerous import BadSignature, TimestampSigner
from starlette.types import Scope

from services.kernel.errors import PermissionDenied, Unauthenticated

SESSION_COOKIE = "trivet_session"
SESSION_MAX_AGE_SECONDS = 12 * 3600
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class Access(Enum):
    """Who may use an operation: each level lets in those of the levels below it, too."""

    PUBLIC = "public"
    APPLICATION = "application"
    NEIGHBOUR = "neighbour"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Caller:
    """Who calls; `id` names a virtual key, else repeats the kind. `visitor` tells the visitors of
    one publishable key apart."""

    kind: Literal["visitor", "application", "neighbour", "administrator"]
    id: str
    visitor: str | None = None

    def may(self, access: Access) -> bool:
        if access is Access.PUBLIC or self.kind == "administrator":
            return True
        if access is Access.ADMINISTRATOR or self.kind == "visitor":
            return False
        return self.kind == "neighbour" or access is Access.APPLICATION


VISITOR = Caller("visitor", "visitor")
NEIGHBOUR = Caller("neighbour", "neighbour")
ADMINISTRATOR = Caller("administrator", "administrator")


def ensure_token(path: Path) -> str:
    """The token in `path`; made with mode 0600 when there is none; two may start."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # fails where another process was first: its token counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8").strip()


class SessionSigner:
    """Makes and checks the value of the console's session cookie."""

    def __init__(self, admin_token: str) -> None:
        self._signer = TimestampSigner(admin_token, salt="trivet.session", digest_method=_sha256)

    def issue(self) -> str:
        return self._signer.sign(b"administrator").decode("ascii")

    def valid(self, value: str) -> bool:
        try:
            self._signer.unsign(value, max_age=SESSION_MAX_AGE_SECONDS)
        except BadSignature:
            return False
        return True


def _sha256(data: bytes = b"") -> hashlib._Hash:
    return hashlib.sha256(data)


Lookup = Callable[[str, Scope], Caller | None]


class Authenticator:
    """Finds the caller of a request from its headers.

    `application` looks up any other credential (a virtual key) that came with a request: it returns
    a Caller or None, and may raise Unauthenticated or PermissionDenied itself.
    """

    def __init__(
        self,
        admin_token: str,
        service_token: str,
        *,
        application: Lookup | None = None,
    ) -> None:
        self.sessions = SessionSigner(admin_token)
        self._admin = admin_token.encode()
        self._service = service_token.encode()
        self._application = application or _nobody

    def is_admin_token(self, credential: str) -> bool:
        return hmac.compare_digest(credential.encode(), self._admin)

    def identify(self, scope: Scope) -> Caller:
        """The caller. Raises Unauthenticated for a credential that nobody issued."""
        headers = dict(scope["headers"])
        credential = _credential(headers.get(b"authorization"), headers.get(b"x-api-key"))
        if credential is not None:
            return self._by_credential(credential, scope)
        cookie = headers.get(b"cookie")
        if cookie is not None and b"trivet_session=" in cookie:
            return self._by_cookie(scope, cookie.decode("latin-1"))
        return VISITOR

    def _by_credential(self, credential: bytes, scope: Scope) -> Caller:
        if hmac.compare_digest(credential, self._admin):
            return ADMINISTRATOR
        if hmac.compare_digest(credential, self._service):
            return NEIGHBOUR
        caller = self._application(credential.decode("latin-1"), scope)
        if caller is None:
            raise Unauthenticated("The credential is not known.", headers=CHALLENGE)
        return caller

    def _by_cookie(self, scope: Scope, header: str) -> Caller:
        if not self.sessions.valid(_session_value(header)):
            return VISITOR  # an expired session is no credential: public pages go on working
        if scope["method"] not in _SAFE_METHODS and not _same_origin(scope):
            raise PermissionDenied("A session may only be used from the console's own pages.")
        return ADMINISTRATOR


CHALLENGE = {"WWW-Authenticate": "Bearer"}


def _nobody(_credential: str, _scope: Scope) -> Caller | None:
    return None


def _credential(authorization: bytes | None, api_key: bytes | None) -> bytes | None:
    """The presented credential; `anonymous` counts as none, since SDKs insist on sending one."""
    found = api_key
    if authorization is not None:
        scheme, _, value = authorization.partition(b" ")
        found = value.strip() if scheme.lower() == b"bearer" else authorization
    return None if not found or found == b"anonymous" else found


def _session_value(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(SESSION_COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _same_origin(scope: Scope) -> bool:
    """Whether a browser says that the request comes from our own pages (Fetch Metadata, Origin)."""
    headers = dict(scope["headers"])
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return bool(site == b"same-origin")
    origin = headers.get(b"origin", b"")
    return bool(origin.partition(b"://")[2] == headers.get(b"host", b"")) if origin else False
